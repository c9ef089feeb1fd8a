using System.Threading.Channels;
using System.Threading.Tasks.Sources;
using Serving.Engine.Scheduling;

namespace Serving.Worker.Loop;

/// <summary>
/// A sequence's outputs, from the engine's thread to one reader. There is no queue: tokens are read where the sequence keeps them anyway (a
/// preemption needs them), and the engine publishes how many there are. So the outputs are bounded by the sequence's longest answer, a slow
/// reader costs neither time nor memory, and writing allocates nothing, not even to wake a reader: the waiter is this object.
/// </summary>
internal sealed class SequenceOutputReader : ChannelReader<SequenceOutput>, IValueTaskSource<bool>, IThreadPoolWorkItem
{
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // Written by the engine, read by the reader; _end last.
    private Sequence? _sequence;
    private bool _blocksReserved;
    private bool _prefillComputed;
    private int _answerTokens;
    private EndOfSequence? _end;

    // The reader's own.
    private bool _readBlocksReserved;
    private bool _readPrefillComputed;
    private int _readTokens;
    private bool _readEnd;

    private ManualResetValueTaskSourceCore<bool> _waiter;
    private CancellationTokenRegistration _cancellation;
    private CancellationToken _cancelledBy;

    // 1: the reader waits. Whoever sets it back to 0 is the one who wakes it.
    private int _isWaiting;

    public override Task Completion => _completion.Task;

    public void AnnounceBlocksReserved() => Announce(ref _blocksReserved);

    public void AnnouncePrefillComputed() => Announce(ref _prefillComputed);

    public void PublishTokens(Sequence sequence)
    {
        _sequence = sequence;
        Volatile.Write(ref _answerTokens, sequence.TokenCount - sequence.PromptLength);
        Wake();
    }

    public void End(SequenceState state, string? error)
    {
        Volatile.Write(ref _end, new EndOfSequence(state, error));
        Wake();
    }

    public override bool TryRead(out SequenceOutput item)
    {
        // The end is looked at first: what it found before it is complete.
        var end = Volatile.Read(ref _end);
        if (Volatile.Read(ref _blocksReserved) && !_readBlocksReserved)
        {
            _readBlocksReserved = true;
            item = new SequenceOutput(SequenceOutputKind.BlocksReserved);
            return true;
        }

        if (Volatile.Read(ref _prefillComputed) && !_readPrefillComputed)
        {
            _readPrefillComputed = true;
            item = new SequenceOutput(SequenceOutputKind.PrefillComputed);
            return true;
        }

        if (_readTokens < Volatile.Read(ref _answerTokens))
        {
            item = new SequenceOutput(SequenceOutputKind.Token, _sequence!.AnswerToken(_readTokens), _readTokens);
            _readTokens++;
            return true;
        }

        if (end is not null && !_readEnd)
        {
            _readEnd = true;
            _completion.TrySetResult();
            item = end.Error is null
                ? new SequenceOutput(SequenceOutputKind.Finished, State: end.State)
                : new SequenceOutput(SequenceOutputKind.Failed, State: end.State, Error: end.Error);
            return true;
        }

        item = default;
        return false;
    }

    public override ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<bool>(cancellationToken);
        }

        if (HasOutput() || _readEnd)
        {
            return new ValueTask<bool>(!_readEnd);
        }

        _waiter.Reset();
        _cancelledBy = default;
        _cancellation = cancellationToken.UnsafeRegister(
            static (self, token) => ((SequenceOutputReader)self!).WakeCancelled(token), this);
        Interlocked.Exchange(ref _isWaiting, 1);

        // An output, or the cancellation, may have come just before the flag was up and so have woken nobody.
        if ((HasOutput() || cancellationToken.IsCancellationRequested) && Interlocked.Exchange(ref _isWaiting, 0) == 1)
        {
            _cancellation.Dispose();
            return cancellationToken.IsCancellationRequested ? ValueTask.FromCanceled<bool>(cancellationToken) : new ValueTask<bool>(true);
        }

        return new ValueTask<bool>(this, _waiter.Version);
    }

    void IThreadPoolWorkItem.Execute()
    {
        if (_cancelledBy.IsCancellationRequested)
        {
            _waiter.SetException(new OperationCanceledException(_cancelledBy));
        }
        else
        {
            _waiter.SetResult(true);
        }
    }

    bool IValueTaskSource<bool>.GetResult(short token)
    {
        _cancellation.Dispose();
        return _waiter.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _waiter.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _waiter.OnCompleted(continuation, state, token, flags);

    private bool HasOutput() =>
        (Volatile.Read(ref _blocksReserved) && !_readBlocksReserved)
        || (Volatile.Read(ref _prefillComputed) && !_readPrefillComputed)
        || _readTokens < Volatile.Read(ref _answerTokens)
        || (Volatile.Read(ref _end) is not null && !_readEnd);

    private void Announce(ref bool what)
    {
        Volatile.Write(ref what, true);
        Wake();
    }

    private void Wake()
    {
        // A full fence: what was published must be visible before the flag is read.
        if (Interlocked.Exchange(ref _isWaiting, 0) == 1)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private void WakeCancelled(CancellationToken token)
    {
        if (Interlocked.Exchange(ref _isWaiting, 0) == 1)
        {
            _cancelledBy = token;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private sealed record EndOfSequence(SequenceState State, string? Error);
}
