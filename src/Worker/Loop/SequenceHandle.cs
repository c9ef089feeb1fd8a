using System.Threading.Channels;
using Serving.Engine;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;

namespace Serving.Worker.Loop;

/// <summary>
/// A caller's end of a sequence in an engine. Its methods may be called from any thread; none waits for the engine. What is asked for
/// takes effect between two steps, and asking twice, or after the end, does nothing.
/// </summary>
public sealed class SequenceHandle : ISequenceObserver, IDisposable
{
    private readonly EngineLoop _loop;
    private readonly SequenceOutputReader _outputs = new();
    private readonly SequenceClock _clock;

    private BlockId[] _promptBlocks = [];
    private int _cachedTokens;
    private int _computedPromptTokens;
    private int _remoteComputedTokens;
    private int _signals;

    internal SequenceHandle(
        EngineLoop loop, Func<SequenceRequest, ISequenceObserver, Sequence> makeSequence, SequenceRequest request, TimeProvider time)
    {
        _loop = loop;
        _clock = new SequenceClock(time);
        RequestId = request.RequestId;
        Sequence = makeSequence(request, this);
    }

    public SequenceId Id => Sequence.Id;

    public string RequestId { get; }

    /// <summary>What happens to the sequence, for one reader. It may be read slowly or not at all: the engine never waits for it.</summary>
    public ChannelReader<SequenceOutput> Outputs => _outputs;

    /// <summary>
    /// The blocks that hold the prompt, in token order, those of one KV group after those of another; there from <see cref="SequenceOutputKind.BlocksReserved"/> or
    /// <see cref="SequenceOutputKind.PrefillComputed"/> on, empty before.
    /// </summary>
    public ReadOnlyMemory<BlockId> PromptBlocks => Volatile.Read(ref _promptBlocks);

    /// <summary>Prompt tokens that were found computed when the sequence was admitted. They fill the first of each group's <see cref="PromptBlocks"/>, which others may use too, or are not there at all where a window has passed them.</summary>
    public int CachedTokens => Volatile.Read(ref _cachedTokens);

    /// <summary>Prompt tokens that this engine has computed for the sequence: 1 after a hand-off.</summary>
    public int ComputedPromptTokens => Volatile.Read(ref _computedPromptTokens);

    /// <summary>
    /// Log probabilities of the answer's tokens, where <see cref="SamplingParameters.Logprobs"/> asks for them; there for tokens
    /// that <see cref="Outputs"/> has told of.
    /// </summary>
    public AnswerLogprobs? Logprobs => Sequence.Logprobs;

    /// <summary>The same of the prompt's tokens from the second on (<see cref="SamplingParameters.PromptLogprobs"/>); there with the first token of the answer.</summary>
    public AnswerLogprobs? PromptLogprobs => Sequence.PromptLogprobs;

    /// <summary>With <see cref="SequenceWork.Embed"/>, once it has finished: the sum of its tokens' hidden states behind the last norm.</summary>
    public ReadOnlySpan<float> HiddenSum => Sequence.HiddenSum;

    public SequenceTimings Timings => _clock.Timings;

    internal Sequence Sequence { get; }

    /// <summary>Whether the loop still counts the sequence as one that was never admitted; the engine thread's.</summary>
    internal bool IsCountedAsWaiting { get; set; } = true;

    /// <summary>Set by the engine before it fails the sequence.</summary>
    internal string? Error { get; set; }

    /// <summary>Gives the sequence up: it ends within one step, unless somebody else still uses its blocks.</summary>
    public void Cancel() => Signal(SequenceSignals.Cancel);

    /// <summary>
    /// The KV of the first <paramref name="computedTokens"/> prompt tokens is in the blocks, and nobody writes there any more.
    /// </summary>
    /// <param name="computedTokens">Less than the prompt has: the engine computes at least the last token.</param>
    public void CompleteRemoteKv(int computedTokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(computedTokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(computedTokens, Sequence.PromptLength);
        ThrowUnless(SequenceWork.GenerateFromRemoteKv, nameof(CompleteRemoteKv));
        if (PromptBlocks.IsEmpty)
        {
            throw new InvalidOperationException($"No blocks are reserved for sequence {Id.Value} yet, so none can have been filled.");
        }

        // The first outcome counts: a transfer may complete while its time-out fires.
        if (Interlocked.CompareExchange(ref _remoteComputedTokens, computedTokens + 1, 0) == 0)
        {
            Signal(SequenceSignals.RemoteKvCompleted);
        }
    }

    /// <summary>The KV cache does not come, and nobody writes into the blocks: the engine computes the whole prompt itself.</summary>
    public void FailRemoteKv()
    {
        ThrowUnless(SequenceWork.GenerateFromRemoteKv, nameof(FailRemoteKv));
        if (Interlocked.CompareExchange(ref _remoteComputedTokens, -1, 0) == 0)
        {
            Signal(SequenceSignals.RemoteKvFailed);
        }
    }

    /// <summary>Nobody reads the blocks of a <see cref="SequenceWork.PrefillOnly"/> sequence any more.</summary>
    public void Release()
    {
        ThrowUnless(SequenceWork.PrefillOnly, nameof(Release));
        Signal(SequenceSignals.Release);
    }

    /// <summary>
    /// Says that the caller has no more to do with the sequence: it ends within one step and all its blocks are free.
    /// Whoever writes into its blocks or reads them has to be stopped before.
    /// </summary>
    public void Dispose() => Signal(SequenceSignals.Cancel | Sequence.Work switch
    {
        SequenceWork.GenerateFromRemoteKv => SequenceSignals.RemoteKvFailed,
        SequenceWork.PrefillOnly => SequenceSignals.Release,
        _ => SequenceSignals.None,
    });

    void ISequenceObserver.OnAdmitted(Sequence sequence)
    {
        _loop.CountAdmitted(this);
        if (!_clock.MarkAdmitted())
        {
            return;
        }

        Volatile.Write(ref _cachedTokens, sequence.CachedTokens);
        _loop.CountCachedPromptTokens(sequence.CachedTokens);
        if (sequence.State != SequenceState.WaitingForRemoteKv)
        {
            return;
        }

        Volatile.Write(ref _promptBlocks, sequence.Table.ToArray());
        _loop.PublishCounters();
        _outputs.AnnounceBlocksReserved();
    }

    void ISequenceObserver.OnComputed(Sequence sequence)
    {
        _loop.CountComputedPromptTokens(sequence.ComputedPromptTokens - _computedPromptTokens);
        Volatile.Write(ref _computedPromptTokens, sequence.ComputedPromptTokens);
    }

    void ISequenceObserver.OnPrefillComputed(Sequence sequence)
    {
        _clock.MarkPrefillComputed();
        Volatile.Write(ref _promptBlocks, sequence.Table.ToArray());
        _loop.PublishCounters();
        _outputs.AnnouncePrefillComputed();
    }

    void ISequenceObserver.OnToken(Sequence sequence)
    {
        _clock.MarkToken();
        _loop.CountGeneratedToken();
        _outputs.PublishTokens(sequence);
    }

    void ISequenceObserver.OnFinished(Sequence sequence)
    {
        _clock.MarkFinished();
        _loop.CountFinished(this);
        _outputs.End(sequence.State, sequence.State == SequenceState.FinishedFailed ? Error ?? "The engine is stopping." : null);
    }

    /// <summary>Takes what was asked for since the last call; the engine's thread.</summary>
    internal SequenceSignals TakeSignals() => (SequenceSignals)Interlocked.Exchange(ref _signals, 0);

    /// <summary>With <see cref="SequenceSignals.RemoteKvCompleted"/>: prompt tokens whose KV has come.</summary>
    internal int RemoteComputedTokens => Volatile.Read(ref _remoteComputedTokens) - 1;

    internal void MarkRemoteKvEnded() => _clock.MarkRemoteKvEnded();

    private void Signal(SequenceSignals signals)
    {
        // Only the first signal since the engine last looked puts the sequence on the list, so it is there at most once.
        if (Interlocked.Or(ref _signals, (int)signals) == 0)
        {
            _loop.Signal(this);
        }
    }

    private void ThrowUnless(SequenceWork work, string method)
    {
        if (Sequence.Work != work)
        {
            throw new InvalidOperationException($"{method} is for {work}; sequence {Id.Value} is {Sequence.Work}.");
        }
    }
}
