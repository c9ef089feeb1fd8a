using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Formats;

/// <summary>A tensor of a model's files, checked: its bytes lie inside its file, and they are as many as shape and type need.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Type">The element format; integers are no weights by themselves.</param>
/// <param name="Shape">The outermost dimension first, the contiguous one last: <c>[outputs, inputs]</c>, <c>[experts, outputs, inputs]</c>. Each at least 1.</param>
/// <param name="Data">Address of the first byte; valid while the <see cref="ModelSource"/> is open.</param>
/// <param name="ByteCount">Bytes of data.</param>
/// <param name="Path">The file.</param>
/// <param name="DirectoryOffset">Byte of the file where the tensor is declared, for errors.</param>
public sealed unsafe record ModelTensor(string Name, GgmlType Type, IReadOnlyList<long> Shape, nint Data, long ByteCount, string Path, long DirectoryOffset)
{
    /// <summary>The shape as a reader expects it: <c>[1536, 576]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";

    /// <summary>All the bytes.</summary>
    /// <exception cref="ModelFormatException">There are more than a span holds.</exception>
    public ReadOnlySpan<byte> Bytes =>
        ByteCount <= int.MaxValue ? new ReadOnlySpan<byte>((byte*)Data, (int)ByteCount) : throw Error($"takes {ByteCount} bytes, too many for what it is used as");

    /// <summary>The tensor as one matrix: its last dimension are the inputs, the others together the outputs.</summary>
    public RawTensor AsMatrix()
    {
        long outputs = 1;
        for (int i = 0; i < Shape.Count - 1; i++)
        {
            outputs *= Shape[i];
        }

        return Matrix(outputs, Data, ByteCount);
    }

    /// <summary>One matrix of a stack <c>[count, outputs, inputs]</c>.</summary>
    public RawTensor MatrixAt(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(Shape.Count, 3);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (ulong)Shape[0], nameof(index));
        long bytes = ByteCount / Shape[0];
        return Matrix(Shape[1], Data + (nint)(index * bytes), bytes);
    }

    /// <summary>All elements as fp32.</summary>
    public void Decode(Span<float> destination) => BlockDecoder.Decode(Type, Bytes, destination);

    /// <summary>The error for a tensor that cannot be used.</summary>
    public ModelFormatException Error(string problem) => new(Path, DirectoryOffset, $"tensor {Name}", problem);

    private RawTensor Matrix(long outputs, nint data, long byteCount) =>
        outputs <= int.MaxValue && Shape[^1] <= int.MaxValue
            ? new RawTensor(Name, Type, (int)outputs, (int)Shape[^1], data, byteCount)
            : throw Error($"has the shape {ShapeText}, which is too large for a matrix");
}
