using System.Buffers;
using System.Runtime.CompilerServices;
using Serving.Gateway.Http;

namespace Serving.Gateway.Forwarding;

/// <summary>
/// A streamed answer as YARP reads it: each read takes one event from the worker, so every token goes out as it comes and a slow client
/// slows its worker down. While no event comes, comments tell the client and the proxies before it that the connection lives. An answer that fails ends in an exception
/// after its error event, on which YARP aborts the connection.
/// </summary>
/// <param name="opening">Gives what renders the answer, or null once the call has failed.</param>
/// <param name="stop">Stops the opening; cancelled at the end.</param>
internal sealed class AnswerStream(Task<AnswerPump?> opening, CompletionCall call, CancellationTokenSource stop, SilenceLimits limits, TimeProvider time) : Stream
{
    /// <summary>
    /// How long the error event has to leave before the connection is aborted: an abort drops what the socket has not taken, and
    /// nothing tells when it has.
    /// </summary>
    private static readonly TimeSpan _errorEventTime = TimeSpan.FromMilliseconds(100);

    private readonly CancellationToken _stopped = stop.Token;
    private readonly ArrayBufferWriter<byte> _rendered = new(1024);
    private Task? _step;
    private long _stepBegan;
    private int _taken;
    private bool _isCommentDue;
    private bool _isDisposed;

    private static ReadOnlySpan<byte> Comment => ": keep-alive\n\n"u8;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_taken == _rendered.WrittenCount && !_isCommentDue)
        {
            if (_step is null)
            {
                if (call.IsOver)
                {
                    await EndAsync(cancellationToken);
                    return 0;
                }

                _rendered.ResetWrittenCount();
                _taken = 0;
                _stepBegan = time.GetTimestamp();
                _step = StepAsync();
            }

            await _step.WaitAsync(limits.KeepAlive, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_step.IsCompleted && time.GetElapsedTime(_stepBegan) < limits.Silence)
            {
                cancellationToken.ThrowIfCancellationRequested();
                _isCommentDue = true;
                break;
            }

            await EndStepAsync(_step);
            _step = null;
        }

        // YARP reads no bytes first, to learn whether there are any.
        if (_isCommentDue && buffer.Length >= Comment.Length)
        {
            _isCommentDue = false;
            Comment.CopyTo(buffer.Span);
            return Comment.Length;
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

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isDisposed)
        {
            _isDisposed = true;
            stop.Cancel();
            stop.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Renders the next event, or why there will be none.</summary>
    private async Task StepAsync()
    {
        if (await opening is { } pump)
        {
            await pump.StepAsync(_rendered, _stopped);
        }
        else
        {
            call.Renderer.Failed(call.Failure!, _rendered);
        }
    }

    /// <summary>Waits for a step, or ends one that takes longer than a worker may be silent.</summary>
    private async Task EndStepAsync(Task step)
    {
        if (!step.IsCompleted)
        {
            await stop.CancelAsync();
            await step.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!step.IsCompletedSuccessfully)
            {
                call.Failure = ApiError.WorkerSilent(limits.Silence);
                call.Renderer.Failed(call.Failure, _rendered);
                return;
            }
        }

        await step;
    }

    private async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        if (call.Failure is null)
        {
            await (await opening)!.CloseAsync(cancellationToken);
            return;
        }

        await Task.Delay(_errorEventTime, time, cancellationToken);
        throw new IOException($"The answer failed: {call.Failure.Error.Message}");
    }
}
