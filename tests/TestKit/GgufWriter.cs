using System.Text;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Gguf;

namespace Serving.TestKit;

/// <summary>Writes small GGUF v3 files, right ones and, on request, wrong ones.</summary>
public sealed class GgufWriter
{
    private const int Alignment = 32;

    private readonly List<byte[]> _values = [];
    private readonly List<(string Name, GgmlType Type, long[] Dimensions, byte[] Data)> _tensors = [];

    public GgufWriter Set(string key, string value) => Set(key, GgufValueType.String, writer => WriteString(writer, value));

    public GgufWriter Set(string key, uint value) => Set(key, GgufValueType.UInt32, writer => writer.Write(value));

    public GgufWriter Set(string key, float value) => Set(key, GgufValueType.Float32, writer => writer.Write(value));

    public GgufWriter Set(string key, bool value) => Set(key, GgufValueType.Bool, writer => writer.Write(value));

    public GgufWriter Set(string key, params string[] values) => Set(key, GgufValueType.Array, writer =>
    {
        writer.Write((int)GgufValueType.String);
        writer.Write((ulong)values.Length);
        Array.ForEach(values, value => WriteString(writer, value));
    });

    /// <summary>A value of any type, its bytes as given.</summary>
    public GgufWriter Set(string key, GgufValueType type, Action<BinaryWriter> write)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        WriteString(writer, key);
        writer.Write((int)type);
        write(writer);
        _values.Add(bytes.ToArray());
        return this;
    }

    public GgufWriter Add(string name, GgmlType type, long[] dimensions, byte[] data)
    {
        _tensors.Add((name, type, dimensions, data));
        return this;
    }

    /// <summary>An F32 tensor of pseudo-random numbers in [-0.5, 0.5).</summary>
    public GgufWriter Add(string name, Random random, params long[] dimensions)
    {
        var data = new byte[dimensions.Aggregate(sizeof(float), (long product, long size) => product * size)];
        for (int i = 0; i < data.Length; i += sizeof(float))
        {
            BitConverter.TryWriteBytes(data.AsSpan(i), random.NextSingle() - 0.5f);
        }

        return Add(name, GgmlType.F32, dimensions, data);
    }

    /// <summary>An F32 matrix by its elements; one row of it is a vector.</summary>
    public GgufWriter Add(string name, int columns, int rows, Func<int, int, float> element)
    {
        var data = new byte[sizeof(float) * columns * rows];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                BitConverter.TryWriteBytes(data.AsSpan(sizeof(float) * ((row * columns) + column)), element(row, column));
            }
        }

        return Add(name, GgmlType.F32, rows == 1 ? [columns] : [columns, rows], data);
    }

    /// <summary>The same model cut into parts, the metadata in the first.</summary>
    public GgufWriter[] Split(int count)
    {
        var parts = new GgufWriter[count];
        for (int i = 0; i < count; i++)
        {
            parts[i] = new GgufWriter();
            parts[i]._values.AddRange(i == 0 ? _values : []);
            parts[i]._tensors.AddRange(_tensors[(_tensors.Count * i / count)..(_tensors.Count * (i + 1) / count)]);
            parts[i].SetSplit(i, count, _tensors.Count);
        }

        return parts;
    }

    /// <summary>The keys of one part of a split model, right or wrong.</summary>
    public GgufWriter SetSplit(int number, int count, int tensorCount) => this
        .Set("split.no", GgufValueType.UInt16, writer => writer.Write((ushort)number))
        .Set("split.count", GgufValueType.UInt16, writer => writer.Write((ushort)count))
        .Set("split.tensors.count", GgufValueType.Int32, writer => writer.Write(tensorCount));

    /// <param name="offsetShift">Added to every tensor's offset, to make it a lie.</param>
    public byte[] ToArray(uint version = 3, long offsetShift = 0)
    {
        using var file = new MemoryStream();
        using var writer = new BinaryWriter(file);
        writer.Write("GGUF"u8);
        writer.Write(version);
        writer.Write((long)_tensors.Count);
        writer.Write((long)_values.Count);
        _values.ForEach(writer.Write);
        long offset = 0;
        foreach ((string name, GgmlType type, long[] dimensions, byte[] data) in _tensors)
        {
            WriteString(writer, name);
            writer.Write(dimensions.Length);
            Array.ForEach(dimensions, writer.Write);
            writer.Write((int)type);
            writer.Write(offset + offsetShift);
            offset += Align(data.Length);
        }

        foreach ((_, _, _, byte[] data) in _tensors)
        {
            writer.Write(new byte[Align(file.Position) - file.Position]);
            writer.Write(data);
        }

        return file.ToArray();
    }

    private static long Align(long position) => (position + Alignment - 1) / Alignment * Alignment;

    private static void WriteString(BinaryWriter writer, string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }
}
