namespace Serving.Engine.Kernels;

/// <summary>Rows of activations in fp32 and, in the int8 class, as <see cref="QuantizedRow"/>.</summary>
internal sealed unsafe class PanelActivations : Activations
{
    private readonly int _rowsMax;
    private readonly int _widthMax;
    private readonly NativeBuffer _values;
    private readonly NativeBuffer? _quantized;
    private int _rows;
    private int _width;

    public PanelActivations(int rowsMax, int widthMax, bool quantized)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowsMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(widthMax, 1);
        _rowsMax = rowsMax;
        _widthMax = widthMax;
        _values = new NativeBuffer(ByteCount(rowsMax, widthMax, quantized: false));
        _quantized = quantized ? new NativeBuffer(rowsMax * QuantizedRow.ByteCount(widthMax)) : null;
    }

    public override float* Values => (float*)_values.Address;

    /// <summary>Bytes that the rows take in all their forms.</summary>
    public static long ByteCount(int rowsMax, int widthMax, bool quantized) =>
        rowsMax * (((long)widthMax * sizeof(float)) + (quantized ? QuantizedRow.ByteCount(widthMax) : 0));

    public override void Begin(int rows, int width)
    {
        if (rows < 1 || rows > _rowsMax || width < 1 || width > _widthMax)
        {
            throw new ArgumentException($"{rows} rows of {width} values do not fit activations made for {_rowsMax} rows of {_widthMax}.", nameof(rows));
        }

        _rows = rows;
        _width = width;
    }

    public override void PrepareRows(int start, int count)
    {
        if (_quantized is null)
        {
            return;
        }

        long rowBytes = QuantizedRow.ByteCount(_width);
        for (int row = start; row < start + count; row++)
        {
            QuantizedRow.Quantize(Values + ((long)row * _width), _width, _quantized.Address + (row * rowBytes));
        }
    }

    public override void Gather(Activations from, ReadOnlySpan<int> rows)
    {
        var source = (PanelActivations)from;
        Begin(rows.Length, source._width);
        long rowBytes = QuantizedRow.ByteCount(_width);
        for (int i = 0; i < rows.Length; i++)
        {
            new ReadOnlySpan<float>(source.Values + ((long)rows[i] * _width), _width).CopyTo(new Span<float>(Values + ((long)i * _width), _width));
            if (_quantized is not null && source._quantized is not null)
            {
                new ReadOnlySpan<byte>(source._quantized.Address + (rows[i] * rowBytes), (int)rowBytes)
                    .CopyTo(new Span<byte>(_quantized.Address + (i * rowBytes), (int)rowBytes));
            }
        }
    }

    /// <summary>The prepared rows as fp32.</summary>
    public byte* Floats(int rows, int width, out long strideBytes)
    {
        Check(rows, width);
        strideBytes = (long)width * sizeof(float);
        return _values.Address;
    }

    /// <summary>The prepared rows as int8 blocks.</summary>
    public byte* Quantized(int rows, int width, out long strideBytes)
    {
        Check(rows, width);
        strideBytes = QuantizedRow.ByteCount(width);
        return _quantized is null ? throw new InvalidOperationException("These activations belong to the fp32 class and have no int8 form.") : _quantized.Address;
    }

    public override void Dispose()
    {
        _values.Dispose();
        _quantized?.Dispose();
    }

    private void Check(int rows, int width)
    {
        if (rows > _rows || width != _width)
        {
            throw new InvalidOperationException($"The product needs {rows} rows of {width} values, but {_rows} rows of {_width} were prepared.");
        }
    }
}
