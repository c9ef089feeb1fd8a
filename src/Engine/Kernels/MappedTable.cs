using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Kernels;

/// <summary>
/// A matrix that is only looked up, such as an embedding that the output does not share: its rows are decoded from where they lie in the file, so that
/// workers share its pages. The caller keeps the file open as long as the table is used.
/// </summary>
internal sealed class MappedTable(RawTensor rows)
{
    public int Rows => rows.Outputs;

    public int Width => rows.Inputs;

    /// <summary>Bytes of the file that look-ups read; none of them is owned.</summary>
    public long MappedBytes => rows.ByteCount;

    /// <summary>Writes row <paramref name="row"/> as fp32, exactly as <see cref="BlockDecoder"/> gives it.</summary>
    /// <param name="destination"><see cref="Width"/> numbers.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row, or the destination has another width.</exception>
    public void CopyRow(int row, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows, nameof(row));
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, Width, nameof(destination));
        BlockDecoder.Decode(rows.Type, rows.Row(row), destination);
    }
}
