using Serving.Transfer.Receiving;
using Serving.Transfer.Wire;

namespace Serving.Transfer;

/// <summary>
/// The receiver's side of one transfer: it waits for its sender, takes each layer of each block once, and ends once. The state changes and
/// every write to the sink happen under one lock, so that the sink's memory is the caller's again when <see cref="Completion"/> has completed.
/// </summary>
public sealed class KvLease
{
    private readonly Lock _gate = new();
    private readonly IKvSink _sink;
    private readonly TimeProvider _time;
    private readonly TimeSpan _timeout;
    private readonly Action<KvLease, TransferResult> _ended;
    private readonly TaskCompletionSource<TransferResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ulong[] _stored;
    private readonly ITimer _expiry;

    private volatile bool _abortRequested;
    private State _state;
    private TransferResult _result;
    private Action? _wakeConnection;
    private uint _generation;
    private long _claimedAt;
    private long _bytes;
    private int _frames;

    internal KvLease(KvTransferShape shape, IKvSink sink, TimeSpan timeout, TimeProvider time, Action<KvLease, TransferResult> ended)
    {
        Shape = shape;
        _sink = sink;
        _timeout = timeout;
        _time = time;
        _ended = ended;
        _stored = new ulong[(shape.Frames + 63) / 64];
        _expiry = time.CreateTimer(static lease => ((KvLease)lease!).Expire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private enum State
    {
        Waiting,
        Receiving,
        Ended,
    }

    /// <summary>What the sender has to name.</summary>
    public LeaseId LeaseId { get; } = LeaseId.New();

    public KvTransferShape Shape { get; }

    /// <summary>The end of the transfer; never faulted, never cancelled. After it the sink is not written again.</summary>
    public Task<TransferResult> Completion => _completion.Task;

    /// <summary>Starts the time anew within which a sender has to come: for a caller that knows the sender to be still computing.</summary>
    public void Renew()
    {
        lock (_gate)
        {
            if (_state == State.Waiting)
            {
                _expiry.Change(_timeout, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Ends the transfer and tells the sender. Does nothing when it has ended already.</summary>
    public void Abort(string reason)
    {
        // Locks are not fair: without this word the connection could take the lock for many more frames before it gets here.
        _abortRequested = true;
        End(expected: null, TransferStatus.Aborted, reason, wakes: true);
    }

    /// <summary>Makes the lease a connection's. The generation sets this attempt's frames apart from those of an earlier one.</summary>
    /// <param name="wakeConnection">Called when the lease ends for another reason than what the connection reads.</param>
    internal bool TryClaim(Action wakeConnection, out uint generation)
    {
        lock (_gate)
        {
            generation = _generation + 1;
            if (_state != State.Waiting)
            {
                return false;
            }

            _state = State.Receiving;
            _generation = generation;
            _wakeConnection = wakeConnection;
            _claimedAt = _time.GetTimestamp();
            _expiry.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return true;
        }
    }

    /// <summary>
    /// The connection broke. Before the first byte the lease waits again, because a sender whose pooled connection was stale comes back on a
    /// fresh one; later the transfer is lost.
    /// </summary>
    internal void Lose(string reason)
    {
        lock (_gate)
        {
            if (_state == State.Receiving && _frames == 0)
            {
                _state = State.Waiting;
                _wakeConnection = null;
                _expiry.Change(_timeout, Timeout.InfiniteTimeSpan);
                return;
            }
        }

        End(TransferStatus.PeerLost, reason);
    }

    internal StoreOutcome Store(in FrameHeader frame, ReadOnlySpan<byte> payload, out string violation)
    {
        lock (_gate)
        {
            violation = string.Empty;
            if (_state != State.Receiving || _abortRequested)
            {
                return StoreOutcome.Ended;
            }

            if (frame.Lease != LeaseId || frame.Generation != _generation)
            {
                violation = "a data frame of another transfer";
                return StoreOutcome.Violation;
            }

            if ((uint)frame.Layer >= (uint)Shape.Layers || (uint)frame.Block >= (uint)Shape.Blocks)
            {
                violation = $"layer {frame.Layer}, block {frame.Block} is outside {Shape.Layers} layers of {Shape.Blocks} blocks";
                return StoreOutcome.Violation;
            }

            int slots = Shape.SlotsOf(frame.Block);
            if (frame.Slots != slots || payload.Length != slots * Shape.BytesPerTokenPerLayer)
            {
                violation = $"layer {frame.Layer}, block {frame.Block} has {frame.Slots} slots in {payload.Length} bytes, expected {slots} in "
                    + $"{slots * Shape.BytesPerTokenPerLayer}";
                return StoreOutcome.Violation;
            }

            int index = frame.Layer * Shape.Blocks + frame.Block;
            ref ulong word = ref _stored[index >> 6];
            ulong bit = 1UL << index;
            if ((word & bit) != 0)
            {
                violation = $"layer {frame.Layer}, block {frame.Block} came twice";
                return StoreOutcome.Violation;
            }

            _sink.Write(frame.Layer, frame.Block, slots, payload);
            word |= bit;
            _bytes += payload.Length;
            _frames++;
            return StoreOutcome.Stored;
        }
    }

    /// <summary>The sender says that it is done: completes when everything is here, and is corrupt otherwise.</summary>
    internal TransferResult Finish(in FrameHeader frame, FrameTotals totals)
    {
        if (frame.Lease != LeaseId || frame.Generation != _generation)
        {
            return End(TransferStatus.Corrupt, "an end frame of another transfer");
        }

        return _frames == Shape.Frames && totals == new FrameTotals(Shape.Bytes, Shape.Frames)
            ? End(TransferStatus.Completed, string.Empty)
            : End(TransferStatus.Corrupt, $"the end came after {_frames} of {Shape.Frames} frames, the sender counts {totals.Frames} with {totals.Bytes} bytes");
    }

    /// <summary>Ends the lease for what its connection has read; returns how it has ended, now or before.</summary>
    internal TransferResult End(TransferStatus status, string reason) => End(expected: null, status, reason, wakes: false);

    private void Expire() =>
        End(expected: State.Waiting, TransferStatus.Expired, $"no sender came within {_timeout.TotalSeconds:0.###} s", wakes: false);

    private TransferResult End(State? expected, TransferStatus status, string reason, bool wakes)
    {
        Action? wake;
        TransferResult result;
        lock (_gate)
        {
            if (_state == State.Ended || (expected is { } state && _state != state))
            {
                return _result;
            }

            _state = State.Ended;
            result = _result = new TransferResult(status, _bytes, _generation == 0 ? TimeSpan.Zero : _time.GetElapsedTime(_claimedAt), reason);
            (wake, _wakeConnection) = (_wakeConnection, null);
        }

        _expiry.Dispose();
        _ended(this, result);
        _completion.SetResult(result);
        if (wakes)
        {
            wake?.Invoke();
        }

        return result;
    }
}
