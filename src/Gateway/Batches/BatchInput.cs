using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Serving.Gateway.Batches;

/// <summary>Reads lines of JSON (JSONL) as they come. Lines without anything in them count, but are left out.</summary>
internal static class BatchInput
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    private static ReadOnlySpan<byte> Blanks => " \t\r"u8;

    /// <summary>The lines with their numbers, from 1. A line's bytes are valid until the next one is asked for.</summary>
    /// <exception cref="InvalidDataException">A line is too long; the message says which.</exception>
    public static async IAsyncEnumerable<(int Number, ReadOnlyMemory<byte> Text)> ReadAsync(
        Stream stream, int lineBytesMax, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 << 10, leaveOpen: true));
        try
        {
            var number = 0;
            while (true)
            {
                var read = await pipe.ReadAsync(cancellationToken);
                var rest = read.Buffer;
                while (TryTake(ref rest, read.IsCompleted, out var line))
                {
                    number++;
                    if (line.Length > lineBytesMax)
                    {
                        throw TooLong(number, lineBytesMax);
                    }

                    var text = Trim(line, isFirst: number == 1);
                    if (!text.IsEmpty)
                    {
                        yield return (number, text);
                    }
                }

                if (read.IsCompleted)
                {
                    yield break;
                }

                if (rest.Length > lineBytesMax)
                {
                    throw TooLong(number + 1, lineBytesMax);
                }

                pipe.AdvanceTo(rest.Start, rest.End);
            }
        }
        finally
        {
            await pipe.CompleteAsync();
        }
    }

    private static bool TryTake(ref ReadOnlySequence<byte> rest, bool isLast, out ReadOnlySequence<byte> line)
    {
        if (rest.PositionOf((byte)'\n') is { } end)
        {
            line = rest.Slice(0, end);
            rest = rest.Slice(rest.GetPosition(1, end));
            return true;
        }

        line = rest;
        rest = rest.Slice(rest.End);
        if (isLast && !line.IsEmpty)
        {
            return true;
        }

        rest = line;
        return false;
    }

    private static ReadOnlyMemory<byte> Trim(ReadOnlySequence<byte> line, bool isFirst)
    {
        var text = line.IsSingleSegment ? line.First : line.ToArray();
        if (isFirst && text.Span.StartsWith(ByteOrderMark))
        {
            text = text[ByteOrderMark.Length..];
        }

        var begin = text.Span.IndexOfAnyExcept(Blanks);
        return begin < 0 ? default : text[begin..(text.Span.LastIndexOfAnyExcept(Blanks) + 1)];
    }

    private static InvalidDataException TooLong(int number, int lineBytesMax) => new($"Line {number} is longer than {lineBytesMax} bytes.");
}
