using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Serving.Contracts.Internal;

namespace Serving.Worker.Completions;

/// <summary>Writes a response of <see cref="CompletionEvent"/> messages, each behind its length as a varint (protobuf's delimited form).</summary>
internal sealed class CompletionEventWriter(HttpResponse response) : ICompletionEvents, IDisposable
{
    private const int VarintBytesMax = 5;

    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>Whether the response's status is on its way: an error can only be an event then.</summary>
    public bool HasStarted { get; private set; }

    public Task EnterAsync(CancellationToken cancellation) => _turn.WaitAsync(cancellation);

    public void Leave() => _turn.Release();

    public void Dispose() => _turn.Dispose();

    /// <summary>Puts an event into the response's buffer; <see cref="FlushAsync"/> sends it.</summary>
    public void Write(CompletionEvent message)
    {
        if (!HasStarted)
        {
            HasStarted = true;
            response.ContentType = InternalApi.EventStreamContentType;
        }

        int size = message.CalculateSize();
        Span<byte> span = response.BodyWriter.GetSpan(size + VarintBytesMax);
        int prefix = WriteVarint(span, (uint)size);
        message.WriteTo(span.Slice(prefix, size));
        response.BodyWriter.Advance(prefix + size);
    }

    /// <summary>Sends what was written. Waits where the client reads slowly; the engine does not.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellation) => await response.BodyWriter.FlushAsync(cancellation);

    /// <summary>Ends a stream that has begun with an error.</summary>
    public async Task FailAsync(RequestError error)
    {
        Write(new CompletionEvent { Error = error });
        await FlushAsync(CancellationToken.None);
    }

    private static int WriteVarint(Span<byte> destination, uint value)
    {
        int count = 0;
        while (value >= 0x80)
        {
            destination[count++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[count++] = (byte)value;
        return count;
    }
}
