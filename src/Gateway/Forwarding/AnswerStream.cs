using System.Buffers;

namespace Serving.Gateway.Forwarding;

/// <summary>
/// A streamed answer as YARP reads it: each read takes one event from the worker, so every token goes out as it comes and a slow client
/// slows its worker down. An answer that fails ends in an exception after its error event, on which YARP aborts the connection.
/// </summary>
internal sealed class AnswerStream(AnswerPump pump, CompletionCall call, TimeProvider time) : Stream
{
    /// <summary>
    /// How long the error event has to leave before the connection is aborted: an abort drops what the socket has not taken, and
    /// nothing tells when it has.
    /// </summary>
    private static readonly TimeSpan _errorEventTime = TimeSpan.FromMilliseconds(100);

    private readonly ArrayBufferWriter<byte> _rendered = new(1024);
    private int _taken;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_taken == _rendered.WrittenCount)
        {
            if (pump.IsOver)
            {
                await EndAsync(cancellationToken);
                return 0;
            }

            _rendered.ResetWrittenCount();
            _taken = 0;
            await pump.StepAsync(_rendered, cancellationToken);
        }

        var count = Math.Min(buffer.Length, _rendered.WrittenCount - _taken);
        _rendered.WrittenMemory.Slice(_taken, count).CopyTo(buffer);
        _taken += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    private async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        if (call.Failure is null)
        {
            await pump.CloseAsync(cancellationToken);
            return;
        }

        await Task.Delay(_errorEventTime, time, cancellationToken);
        throw new IOException($"The answer failed: {call.Failure.Error.Message}");
    }
}
