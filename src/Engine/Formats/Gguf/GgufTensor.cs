namespace Serving.Engine.Formats.Gguf;

/// <summary>An entry of the tensor directory, checked: the data lies inside the file.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">The element format.</param>
/// <param name="Dimensions">One to four, each at least 1. The first is the contiguous one (a matrix's inputs).</param>
/// <param name="Offset">Byte of the file where the data starts.</param>
/// <param name="ByteCount">Bytes of data.</param>
/// <param name="DirectoryOffset">Byte of the file where this entry starts, for errors.</param>
public sealed record GgufTensor(string Name, GgmlType Type, IReadOnlyList<long> Dimensions, long Offset, long ByteCount, long DirectoryOffset)
{
    /// <summary>The dimensions as a reader expects them: <c>[576, 1536]</c>.</summary>
    public string Shape => $"[{string.Join(", ", Dimensions)}]";
}
