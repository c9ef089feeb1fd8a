using Serving.Engine.KvCache;
using Serving.Engine.Sampling;
using Serving.Engine.Speculation;

namespace Serving.Engine.Scheduling;

/// <summary>
/// One token stream with its KV blocks. It knows no phases: <see cref="ComputedTokens"/> runs after <see cref="TokenCount"/>, a prompt
/// is many tokens behind, decode one, and a preempted sequence starts from 0 again (vLLM v1's scheduler). Only the scheduler
/// changes it.
/// </summary>
public sealed class Sequence
{
    /// <summary>The <see cref="Deadline"/> of a sequence that may take as long as it likes.</summary>
    public const long NoDeadline = long.MaxValue;

    private readonly int[] _tokens;
    private readonly ReadOnlyMemory<int> _endTokens;
    private readonly BlockIdentity _root;
    private readonly int _blockSize;

    // Of the full blocks, as far as they are known. Tokens never change, so identities stay when blocks are lost.
    private readonly BlockIdentity[] _identities;
    private int _identityCount;

    /// <param name="id">Ascends in the order of arrival: the older sequence has the lower id.</param>
    /// <param name="prompt">At least one token.</param>
    /// <param name="tokensMax">Most tokens, the prompt included; the prompt's length where there is no answer.</param>
    /// <param name="sampling">How answer tokens are chosen.</param>
    /// <param name="endTokens">Tokens that end the answer; they count as part of it.</param>
    /// <param name="layout">The KV cache that its blocks are of.</param>
    /// <param name="root">The beginning of its blocks' identities (<see cref="BlockIdentity.Root"/>); default: it shares no blocks.</param>
    public Sequence(
        SequenceId id,
        ReadOnlySpan<int> prompt,
        SequenceWork work,
        int tokensMax,
        SamplingParameters sampling,
        ReadOnlyMemory<int> endTokens,
        KvCacheLayout layout,
        ISequenceObserver observer,
        BlockIdentity root = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompt.Length);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokensMax, work.HasAnswer() ? prompt.Length + 1 : prompt.Length);

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
        PromptLogprobs = sampling is { Logprobs: { } beside, PromptLogprobs: true } ? new AnswerLogprobs(prompt.Length - 1, beside) : null;
        Table = new BlockTable(layout.BlocksFor(tokensMax), layout.Groups.Count);
        AwaitsRemoteKv = work == SequenceWork.GenerateFromRemoteKv;
        _root = PromptLogprobs is null ? root : default;
        _blockSize = layout.BlockSize;
        _identities = _root.IsNone ? [] : new BlockIdentity[tokensMax / _blockSize];
        if (prompt.Length / _blockSize > 0 && CanShareBlocks)
        {
            // Here, on the caller's thread, so that the engine's has only what it samples left to hash.
            IdentityOf((prompt.Length / _blockSize) - 1);
        }
    }

    public SequenceId Id { get; }

    public SequenceWork Work { get; }

    public SamplingParameters Sampling { get; }

    /// <summary>Of the answer's tokens, where <see cref="SamplingParameters.Logprobs"/> asks for them.</summary>
    public AnswerLogprobs? Logprobs { get; }

    /// <summary>
    /// Of the prompt's tokens from the second on, where <see cref="SamplingParameters.PromptLogprobs"/> asks for them; all of them are there with the answer's first
    /// token, unless the sequence has a <see cref="Parent"/>. It shares no blocks: every row has to be computed for its logits.
    /// </summary>
    public AnswerLogprobs? PromptLogprobs { get; }

    /// <summary>With <see cref="SequenceWork.Embed"/>: the sum of its computed tokens' hidden states (<see cref="Execution.StepSequence.HiddenSum"/>).</summary>
    public float[]? HiddenSum { get; init; }

    /// <summary>Whose it is: tenants get equal shares. Default: nobody's in particular.</summary>
    public string Tenant { get; init; } = "";

    public SequencePriority Priority { get; init; }

    /// <summary>When it ends, done or not, on the clock of <see cref="Scheduler.ExpireDeadlines"/>.</summary>
    public long Deadline { get; init; } = NoDeadline;

    /// <summary>
    /// A sequence with the same prompt and salt, or null: several answers to one prompt. The sequence then waits until that one has computed the prompt and takes its
    /// blocks instead of computing them again; where that one ends before, it goes its own way.
    /// </summary>
    public Sequence? Parent { get; init; }

    /// <summary>What the answer is held to; null: to nothing.</summary>
    public AnswerConstraint? Constraint { get; init; }

    public int PromptLength { get; }

    public int TokensMax => _tokens.Length;

    /// <summary>Tokens so far, prompt and answer.</summary>
    public int TokenCount { get; private set; }

    /// <summary>Prompt and answer so far. The memory stays where it is; what is in it does not change.</summary>
    public ReadOnlyMemory<int> Tokens => _tokens.AsMemory(0, TokenCount);

    /// <summary>Tokens whose KV is in the blocks.</summary>
    public int ComputedTokens { get; internal set; }

    /// <summary>Tokens that were found computed when the sequence was first admitted.</summary>
    public int CachedTokens { get; internal set; }

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

    /// <summary>Whether its blocks may be another's too: both have the same prompt and salt.</summary>
    public bool CanShareBlocksWith(Sequence other) =>
        _root == other._root && _tokens.AsSpan(0, PromptLength).SequenceEqual(other._tokens.AsSpan(0, other.PromptLength));

    /// <summary>Whether its full blocks are published and those of others used.</summary>
    internal bool CanShareBlocks => !_root.IsNone;

    /// <summary>Blocks from the first on that are published.</summary>
    internal int PublishedBlocks { get; set; }

    /// <summary>How the sequence is to end once nobody else uses its blocks any more; null: it goes on.</summary>
    internal SequenceState? DeferredEnd { get; set; }

    /// <summary>What its tenant has had; there once the sequence is enqueued.</summary>
    internal TenantAccount? Account { get; set; }

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
        Constraint = Constraint?.Matcher,
    };

    /// <summary>Keeps the log probability that a pending row gives to the prompt token behind it, unless it is known from before a preemption.</summary>
    internal void KeepPromptLogprob(int row, Sampler sampler, ReadOnlySpan<float> logits)
    {
        var place = ComputedTokens + row;
        if (place == PromptLogprobs!.Count && place + 1 < PromptLength)
        {
            PromptLogprobs.Add(sampler, logits, _tokens[place + 1]);
        }
    }

    /// <summary>The scheduler's step that last held rows of this sequence.</summary>
    internal long ScheduledStep { get; set; }

    /// <summary>Tokens yet to be computed: 1 in decode.</summary>
    internal int PendingTokens => TokenCount - ComputedTokens;

    /// <summary>Whether the logits of every pending row are wanted.</summary>
    internal bool WantsPromptLogits => PromptLogprobs?.Count < PromptLength - 1;

    internal ReadOnlySpan<int> Pending(int count) => _tokens.AsSpan(ComputedTokens, count);

    /// <summary>The identity of a full block of its tokens, by its place from 0.</summary>
    internal BlockIdentity IdentityOf(int block)
    {
        for (; _identityCount <= block; _identityCount++)
        {
            var parent = _identityCount == 0 ? _root : _identities[_identityCount - 1];
            _identities[_identityCount] = parent.Extend(_tokens.AsSpan(_identityCount * _blockSize, _blockSize));
        }

        return _identities[block];
    }

    /// <summary>How many tokens to guess; null: none ever.</summary>
    internal DraftLength? DraftLength { get; set; }

    /// <summary>Writes guesses where the next tokens will lie: those from a place on, its own guesses too where the text repeats itself.</summary>
    internal void Guess(int place, int count)
    {
        for (var i = 0; i < count; i++)
        {
            _tokens[TokenCount + i] = _tokens[place + i];
        }
    }

    /// <summary>How many of some guesses its constraint admits, from the first.</summary>
    internal int CountAdmitted(int guesses) => Constraint is null ? guesses : Constraint.Matcher.CountAllowed(_tokens.AsSpan(TokenCount, guesses));

    /// <summary>Whether a token is what was guessed for its place.</summary>
    internal bool NextIsGuessed(int token) => _tokens[TokenCount] == token;

    internal void Append(int token)
    {
        _tokens[TokenCount++] = token;
        if (Constraint is not null && !Constraint.Matcher.TryAdvance(token))
        {
            throw new InvalidOperationException($"Token {token} of sequence {Id.Value} is one that its constraint forbids.");
        }
    }

    /// <summary>Whether a token may be sampled: the constraint, if there is one, knows which.</summary>
    internal bool CanSample => Constraint is null || Constraint.IsReady;

    /// <summary>Whether its constraint admits nothing but the end.</summary>
    internal bool MustEnd => Constraint is not null && Constraint.Matcher.MustEnd;

    internal bool IsEndToken(int token) => _endTokens.Span.Contains(token);
}
