using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Google.Protobuf;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Forwarding;

/// <summary>Reads the internal event stream: protobuf messages, each behind its length as a varint.</summary>
internal sealed class CompletionEventReader(Stream stream) : IDisposable
{
    /// <summary>
    /// No event comes near it, not even a long prompt's echo with log probabilities; a longer length means that the stream is not what it says it is.
    /// </summary>
    private const int EventBytesMax = 64 << 20;

    private readonly PipeReader _pipe = PipeReader.Create(stream);

    /// <summary>Null at the end of the stream.</summary>
    /// <exception cref="InvalidDataException">The bytes are no event stream, or end inside an event.</exception>
    /// <exception cref="IOException">The connection failed.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<CompletionEvent?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await _pipe.ReadAsync(cancellationToken);
            var rest = read.Buffer;
            if (TryTake(ref rest, out var message))
            {
                var parsed = Parse(message);
                _pipe.AdvanceTo(rest.Start);
                return parsed;
            }

            if (read.IsCompleted)
            {
                return read.Buffer.IsEmpty ? null : throw new InvalidDataException("The event stream ends inside an event.");
            }

            _pipe.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    public void Dispose() => _pipe.Complete();

    private static CompletionEvent Parse(ReadOnlySequence<byte> message)
    {
        try
        {
            return CompletionEvent.Parser.ParseFrom(message);
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new InvalidDataException("The event stream has bytes that are no event.", exception);
        }
    }

    private static bool TryTake(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> message)
    {
        message = default;
        var reader = new SequenceReader<byte>(buffer);
        var length = 0;
        for (var shift = 0; ; shift += 7)
        {
            if (!reader.TryRead(out var next))
            {
                return false;
            }

            length |= (next & 0x7F) << shift;
            if (length > EventBytesMax || shift > 21)
            {
                throw new InvalidDataException($"The event stream has an event of more than {EventBytesMax} bytes.");
            }

            if ((next & 0x80) == 0)
            {
                break;
            }
        }

        if (!reader.TryReadExact(length, out message))
        {
            return false;
        }

        buffer = buffer.Slice(reader.Position);
        return true;
    }
}
