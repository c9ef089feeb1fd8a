using System.Buffers;
using System.Runtime.ExceptionServices;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Formats.Gguf;

/// <summary>Encodes a tensor row by row into a stream, some rows at a time on all cores; the whole tensor is never in memory.</summary>
internal static class TensorEncoding
{
    private const int ChunkElements = 1 << 20;

    /// <param name="source">The file that the values come from, for errors.</param>
    /// <exception cref="ModelFormatException">A value is not finite or too large for the format.</exception>
    public static void Write(Stream stream, string name, GgmlType type, IReadOnlyList<long> dimensions, RowReader rows, string source, CancellationToken cancellation)
    {
        int rowElements = checked((int)dimensions[0]);
        int rowBytes = checked(rowElements / BlockDecoder.BlockElements(type) * BlockDecoder.BlockBytes(type));
        long rowCount = 1;
        for (int i = 1; i < dimensions.Count; i++)
        {
            rowCount *= dimensions[i];
        }

        int chunkRows = (int)Math.Min(rowCount, Math.Max(1, ChunkElements / rowElements));
        byte[] encoded = ArrayPool<byte>.Shared.Rent(checked(chunkRows * rowBytes));
        try
        {
            for (long first = 0; first < rowCount; first += chunkRows)
            {
                cancellation.ThrowIfCancellationRequested();
                int count = (int)Math.Min(chunkRows, rowCount - first);
                EncodeChunk(name, type, rows, source, first, count, rowElements, encoded);
                stream.Write(encoded, 0, count * rowBytes);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(encoded);
        }
    }

    private static void EncodeChunk(string name, GgmlType type, RowReader rows, string source, long first, int count, int rowElements, byte[] encoded)
    {
        int rowBytes = rowElements / BlockDecoder.BlockElements(type) * BlockDecoder.BlockBytes(type);
        try
        {
            Parallel.For(0, count, i =>
            {
                float[] values = ArrayPool<float>.Shared.Rent(rowElements);
                try
                {
                    Span<float> row = values.AsSpan(0, rowElements);
                    rows(first + i, row);
                    int refused = BlockEncoder.FindUnencodable(type, row);
                    if (refused >= 0)
                    {
                        throw new ModelFormatException(source, null, $"tensor {name}", Describe(row[refused], first + i, refused, type));
                    }

                    BlockEncoder.Encode(type, row, encoded.AsSpan(i * rowBytes, rowBytes));
                }
                finally
                {
                    ArrayPool<float>.Shared.Return(values);
                }
            });
        }
        catch (AggregateException exception)
        {
            // The rows fail for the same reason, if several do.
            ExceptionDispatchInfo.Throw(exception.InnerExceptions[0]);
        }
    }

    private static string Describe(float value, long row, int column, GgmlType type) => float.IsFinite(value)
        ? $"holds {value} in row {row}, column {column}, which is too large for {type}; write f32 or bf16"
        : $"holds {value} in row {row}, column {column}, which is no weight; the model is damaged";
}
