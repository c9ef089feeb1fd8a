using Serving.Engine.Formats;

namespace Serving.Engine.Kernels;

/// <summary>A weight matrix in panels of 16 outputs; the last is filled up with zero weights. Threads take panels as they come.</summary>
internal abstract unsafe class PanelMatrix : WeightMatrix
{
    // Rows that meet one panel after the other while they stay in the second-level cache: whole tiles of every kernel.
    private const int RowsAtOnce = 96;

    private readonly PanelForm _form;
    private readonly PackedMemory _panels;
    private readonly long _panelBytes;
    private readonly delegate*<in PanelProduct, int, float*, int, int, int, void> _kernel;

    /// <param name="weights">The raw matrix; of its rows nothing is read.</param>
    /// <param name="form">How the panels look.</param>
    /// <param name="memory">The panels; the matrix disposes it.</param>
    protected PanelMatrix(
        in RawTensor weights, PanelForm form, PackedMemory memory, delegate*<in PanelProduct, int, float*, int, int, int, void> kernel, string kernelName)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(memory.ByteCount, form.ByteCount(in weights), nameof(memory));
        Outputs = weights.Outputs;
        Inputs = weights.Inputs;
        KernelName = kernelName;
        _form = form;
        _panels = memory;
        _panelBytes = form.PanelBytes(Inputs);
        _kernel = kernel;
    }

    public sealed override int Outputs { get; }

    public sealed override int Inputs { get; }

    public sealed override long ResidentBytes => _panels.IsShared ? 0 : _panels.ByteCount;

    public sealed override long MappedBytes => _panels.IsShared ? _panels.ByteCount : 0;

    public sealed override string KernelName { get; }

    public sealed override int PartCount => PanelForm.PanelCount(Outputs);

    public sealed override void MultiplyParts(Activations x, int firstRow, int rows, float* y, int yStride, int start, int end)
    {
        byte* source = Source(x, firstRow + rows, out long strideBytes);
        PanelProduct product = new()
        {
            Weights = _panels.Address,
            PanelBytes = _panelBytes,
            Inputs = Inputs,
            X = source + (firstRow * strideBytes),
            XStrideBytes = strideBytes,
        };
        for (int row = 0; row < rows; row += RowsAtOnce)
        {
            for (int panel = start; panel < end; panel++)
            {
                MultiplyPanel(in product, panel, y, yStride, row, Math.Min(RowsAtOnce, rows - row));
            }
        }
    }

    public sealed override void CopyRow(int output, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)output, (uint)Outputs, nameof(output));
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, Inputs);
        byte* panel = _panels.Address + (output / PanelProduct.PanelOutputs * _panelBytes);
        _form.UnpackRow(panel, output % PanelProduct.PanelOutputs, destination);
    }

    public sealed override void Dispose() => _panels.Dispose();

    /// <summary>The rows in the form that the kernel reads.</summary>
    protected abstract byte* Source(Activations x, int rows, out long strideBytes);

    private void MultiplyPanel(in PanelProduct product, int panel, float* y, int yStride, int firstRow, int rows)
    {
        int firstOutput = panel * PanelProduct.PanelOutputs;
        y += ((long)firstRow * yStride) + firstOutput;
        if (firstOutput + PanelProduct.PanelOutputs <= Outputs)
        {
            _kernel(in product, panel, y, yStride, firstRow, rows);
            return;
        }

        float* buffer = stackalloc float[RowsAtOnce * PanelProduct.PanelOutputs];
        int used = Outputs - firstOutput;
        _kernel(in product, panel, buffer, PanelProduct.PanelOutputs, firstRow, rows);
        for (int row = 0; row < rows; row++)
        {
            new ReadOnlySpan<float>(buffer + (row * PanelProduct.PanelOutputs), used).CopyTo(new Span<float>(y + ((long)row * yStride), used));
        }
    }
}
