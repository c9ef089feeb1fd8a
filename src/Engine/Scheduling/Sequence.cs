using Serving.Engine.KvCache;
using Serving.Engine.Sampling;

namespace Serving.Engine.Scheduling;

/// <summary>
/// One token stream with its KV blocks. It knows no phases: <see cref="ComputedTokens"/> runs after <see cref="TokenCount"/>, a prompt
/// is many tokens behind, decode one, and a preempted sequence starts from 0 again (vLLM v1's scheduler). Only the scheduler
/// changes it.
/// </summary>
public sealed class Sequence
{
    private readonly int[] _tokens;
    private readonly ReadOnlyMemory<int> _endTokens;

    /// <param name="id">Ascends in the order of arrival: the older sequence has the lower id.</param>
    /// <param name="prompt">At least one token.</param>
    /// <param name="tokensMax">Most tokens, the prompt included; the prompt's length for <see cref="SequenceWork.PrefillOnly"/>.</param>
    /// <param name="sampling">How answer tokens are chosen.</param>
    /// <param name="endTokens">Tokens that end the answer; they count as part of it.</param>
    /// <param name="blockSize">Token slots of a KV block.</param>
    public Sequence(
        SequenceId id,
        ReadOnlySpan<int> prompt,
        SequenceWork work,
        int tokensMax,
        SamplingParameters sampling,
        ReadOnlyMemory<int> endTokens,
        int blockSize,
        ISequenceObserver observer)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompt.Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokensMax, work == SequenceWork.PrefillOnly ? prompt.Length : prompt.Length + 1);

        Id = id;
        Work = work;
        Sampling = sampling;
        Observer = observer;
        PromptLength = prompt.Length;
        _endTokens = endTokens;
        _tokens = new int[tokensMax];
        prompt.CopyTo(_tokens);
        TokenCount = prompt.Length;
        Logprobs = sampling.Logprobs is { } top ? new AnswerLogprobs(tokensMax - prompt.Length, top) : null;
        Table = new BlockTable((tokensMax + blockSize - 1) / blockSize);
        AwaitsRemoteKv = work == SequenceWork.GenerateFromRemoteKv;
    }

    public SequenceId Id { get; }

    public SequenceWork Work { get; }

    public SamplingParameters Sampling { get; }

    /// <summary>Of the answer's tokens, where <see cref="SamplingParameters.Logprobs"/> asks for them.</summary>
    public AnswerLogprobs? Logprobs { get; }

    public int PromptLength { get; }

    public int TokensMax => _tokens.Length;

    /// <summary>Tokens so far, prompt and answer.</summary>
    public int TokenCount { get; private set; }

    /// <summary>Prompt and answer so far. The memory stays where it is; what is in it does not change.</summary>
    public ReadOnlyMemory<int> Tokens => _tokens.AsMemory(0, TokenCount);

    /// <summary>Tokens whose KV is in the blocks.</summary>
    public int ComputedTokens { get; internal set; }

    /// <summary>Prompt tokens computed by this engine, those computed again after a preemption included.</summary>
    public int ComputedPromptTokens { get; internal set; }

    public SequenceState State { get; internal set; }

    public BlockTable Table { get; }

    public bool IsFinished => State >= SequenceState.FinishedStop;

    public ISequenceObserver Observer { get; }

    /// <summary>
    /// Whether the KV cache is still to come from elsewhere; false once it came, failed to come or was lost to a preemption.
    /// </summary>
    internal bool AwaitsRemoteKv { get; set; }

    /// <summary>The caller has given up, while somebody else still uses the blocks.</summary>
    internal bool CancelIsDeferred { get; set; }

    /// <summary>A token of the answer, by its place from 0. Any thread may ask for one that it has been told of.</summary>
    public int AnswerToken(int index) => _tokens[PromptLength + index];

    /// <summary>What the choice of the next token depends on, beside the logits.</summary>
    public SamplingInput SamplingInput(ReadOnlySpan<float> logits) => new()
    {
        Logits = logits,
        Parameters = Sampling,
        Tokens = Tokens.Span,
        PromptLength = PromptLength,
        EndTokens = _endTokens.Span,
    };

    /// <summary>The scheduler's step that last held rows of this sequence.</summary>
    internal long ScheduledStep { get; set; }

    /// <summary>Tokens yet to be computed: 1 in decode.</summary>
    internal int PendingTokens => TokenCount - ComputedTokens;

    internal ReadOnlySpan<int> Pending(int count) => _tokens.AsSpan(ComputedTokens, count);

    internal void Append(int token) => _tokens[TokenCount++] = token;

    internal bool IsEndToken(int token) => _endTokens.Span.Contains(token);
}
