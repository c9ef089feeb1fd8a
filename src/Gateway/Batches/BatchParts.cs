using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Runtime.CompilerServices;
using Serving.Storage;
using Serving.Storage.Documents;
using Serving.Storage.Objects;

namespace Serving.Gateway.Batches;

/// <summary>
/// The results of a batch that has not ended, in small objects of their own: a result is done once its object is there, whatever is killed
/// afterwards. Objects are never appended to, so the same works on S3. A line of an object is <c>number o|e json</c>.
/// </summary>
internal sealed class BatchParts(StorageServices storage)
{
    private const string Kind = "batch-part";
    private const byte Answer = (byte)'o';
    private const byte Error = (byte)'e';

    /// <summary>Writes results; when it returns they outlive the machine's end.</summary>
    /// <param name="term">The lease's under which they were computed.</param>
    /// <param name="sequence">Counts the parts of a term.</param>
    public async Task WriteAsync(string tenant, string batchId, long term, int sequence, IReadOnlyCollection<BatchResult> results, CancellationToken cancellationToken)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{term:x16}-{sequence:x8}");
        await using var writer = await storage.Objects.CreateAsync(ObjectKey.Of([.. Prefix(tenant, batchId), name]), cancellationToken);
        foreach (var result in results)
        {
            await writer.Stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{result.Number} {(char)(result.IsError ? Error : Answer)} ")), cancellationToken);
            await writer.Stream.WriteAsync(result.Json, cancellationToken);
            writer.Stream.WriteByte((byte)'\n');
        }

        await writer.CommitAsync(cancellationToken);
    }

    /// <summary>
    /// All results, each line's once, however many owners have computed it. Their bytes are valid until the next one is asked for.
    /// </summary>
    public async IAsyncEnumerable<BatchResult> ReadAsync(string tenant, string batchId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = new HashSet<int>();
        await foreach (var part in storage.Objects.ListAsync(ObjectKey.Of(Prefix(tenant, batchId)), cancellationToken))
        {
            if (await storage.Objects.OpenAsync(part.Key, cancellationToken) is not { } stream)
            {
                continue;
            }

            await using (stream)
            {
                await foreach (var (_, text) in BatchInput.ReadAsync(stream, int.MaxValue, cancellationToken))
                {
                    if (Parse(text) is var result && seen.Add(result.Number))
                    {
                        yield return result;
                    }
                }
            }
        }
    }

    /// <summary>Removes the results, which the batch's files have by now.</summary>
    public async Task DeleteAsync(string tenant, string batchId, CancellationToken cancellationToken)
    {
        await foreach (var part in storage.Objects.ListAsync(ObjectKey.Of(Prefix(tenant, batchId)), cancellationToken))
        {
            await storage.Objects.DeleteAsync(part.Key, cancellationToken);
        }
    }

    private static BatchResult Parse(ReadOnlyMemory<byte> text)
    {
        if (!Utf8Parser.TryParse(text.Span, out int number, out var length) || text.Length < length + 3)
        {
            throw new InvalidDataException("A batch's results have a line that is none.");
        }

        return new BatchResult(number, text.Span[length + 1] == Error, text[(length + 3)..]);
    }

    private static string[] Prefix(string tenant, string batchId) => [Kind, DocumentKey.SegmentOf(tenant), batchId];
}
