using Serving.Engine.KvCache;
using Serving.Engine.Scheduling;

namespace Serving.Worker.Loop;

/// <summary>The figures of <see cref="EngineSnapshot"/>: written by the engine's thread, each by itself, read by any.</summary>
internal sealed class EngineCounters
{
    private int _waiting;
    private int _running;
    private int _waitingForRemoteKv;
    private int _prefillComputed;
    private int _pendingPromptTokens;
    private int _kvBlocksUsed;
    private int _kvBlocksCached;
    private long _cachedPromptTokens;
    private long _computedPromptTokens;
    private long _generatedTokens;
    private long _steps;
    private long _preemptions;
    private long _draftedTokens;
    private long _acceptedTokens;

    public void AddGeneratedToken() => Volatile.Write(ref _generatedTokens, _generatedTokens + 1);

    public void AddCachedPromptTokens(int tokens) => Volatile.Write(ref _cachedPromptTokens, _cachedPromptTokens + tokens);

    public void AddComputedPromptTokens(int tokens) => Volatile.Write(ref _computedPromptTokens, _computedPromptTokens + tokens);

    public void AddStep() => Volatile.Write(ref _steps, _steps + 1);

    public void Publish(Scheduler scheduler, KvBlockPool pool)
    {
        Volatile.Write(ref _waiting, scheduler.WaitingCount);
        Volatile.Write(ref _running, scheduler.RunningCount);
        Volatile.Write(ref _waitingForRemoteKv, scheduler.WaitingForRemoteKvCount);
        Volatile.Write(ref _prefillComputed, scheduler.PrefillComputedCount);
        Volatile.Write(ref _pendingPromptTokens, scheduler.PendingPromptTokens());
        Volatile.Write(ref _kvBlocksUsed, pool.UsedCount);
        Volatile.Write(ref _kvBlocksCached, pool.CachedCount);
        Volatile.Write(ref _preemptions, scheduler.PreemptionCount);
        Volatile.Write(ref _draftedTokens, scheduler.DraftedCount);
        Volatile.Write(ref _acceptedTokens, scheduler.AcceptedCount);
    }

    /// <param name="submitted">Sequences that the engine's thread has not seen yet.</param>
    public EngineSnapshot Read(int submitted, int kvBlocksTotal) => new(
        Volatile.Read(ref _waiting) + submitted,
        Volatile.Read(ref _running),
        Volatile.Read(ref _waitingForRemoteKv),
        Volatile.Read(ref _prefillComputed),
        Volatile.Read(ref _pendingPromptTokens),
        Volatile.Read(ref _kvBlocksUsed),
        Volatile.Read(ref _kvBlocksCached),
        kvBlocksTotal,
        Volatile.Read(ref _cachedPromptTokens),
        Volatile.Read(ref _computedPromptTokens),
        Volatile.Read(ref _generatedTokens),
        Volatile.Read(ref _steps),
        Volatile.Read(ref _preemptions),
        Volatile.Read(ref _draftedTokens),
        Volatile.Read(ref _acceptedTokens));
}
