namespace Serving.Worker.Loop;

/// <summary>Monotonic stamps of a sequence: set by the engine's thread once each, read from any. 0: not yet.</summary>
internal sealed class SequenceClock(TimeProvider time)
{
    private readonly long _submitted = Math.Max(1, time.GetTimestamp());
    private long _admitted;
    private long _remoteKvEnded;
    private long _firstToken;
    private long _prefillComputed;
    private long _finished;

    public SequenceTimings Timings
    {
        get
        {
            var admitted = Volatile.Read(ref _admitted);
            var remoteKvEnded = Volatile.Read(ref _remoteKvEnded);
            var firstToken = Volatile.Read(ref _firstToken);
            return new SequenceTimings(
                Queue: Between(_submitted, admitted),
                RemoteKv: Between(admitted, remoteKvEnded),
                Prefill: Between(remoteKvEnded == 0 ? admitted : remoteKvEnded, Volatile.Read(ref _prefillComputed)),
                TimeToFirstToken: Between(_submitted, firstToken),
                Total: Between(_submitted, Volatile.Read(ref _finished)));
        }
    }

    /// <returns>Whether this is the first time.</returns>
    public bool MarkAdmitted() => Mark(ref _admitted);

    public void MarkRemoteKvEnded() => Mark(ref _remoteKvEnded);

    public void MarkPrefillComputed() => Mark(ref _prefillComputed);

    public void MarkToken()
    {
        if (Mark(ref _firstToken))
        {
            Mark(ref _prefillComputed);
        }
    }

    public void MarkFinished() => Mark(ref _finished);

    private bool Mark(ref long stamp)
    {
        if (stamp != 0)
        {
            return false;
        }

        Volatile.Write(ref stamp, Math.Max(1, time.GetTimestamp()));
        return true;
    }

    private TimeSpan Between(long start, long end) => start == 0 || end == 0 ? TimeSpan.Zero : time.GetElapsedTime(start, end);
}
