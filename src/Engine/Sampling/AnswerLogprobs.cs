namespace Serving.Engine.Sampling;

/// <summary>
/// Log probabilities of an answer's tokens, or of a prompt's, in pages that are made as they come: whoever asks for them costs one allocation in 64
/// tokens, whoever does not none. The engine adds; a reader may ask for a token that it has been told of.
/// </summary>
/// <param name="tokensMax">Most tokens.</param>
/// <param name="top">Log probabilities of other tokens beside each.</param>
public sealed class AnswerLogprobs(int tokensMax, int top)
{
    private const int PageTokens = 64;

    private readonly TokenLogprob[]?[] _pages = new TokenLogprob[]?[(tokensMax + PageTokens - 1) / PageTokens];

    /// <summary>Tokens of which there are some.</summary>
    public int Count { get; private set; }

    /// <summary>Of the token at a place, from 0: its own, then those of the likeliest tokens, descending.</summary>
    public ReadOnlySpan<TokenLogprob> this[int index] => Slots(index);

    /// <summary>Adds those of the next token.</summary>
    public void Add(Sampler sampler, ReadOnlySpan<float> logits, int tokenId)
    {
        _pages[Count / PageTokens] ??= new TokenLogprob[PageTokens * (top + 1)];
        var slots = Slots(Count++);
        slots[0] = new TokenLogprob(tokenId, sampler.Logprob(logits, tokenId, slots[1..]));
    }

    private Span<TokenLogprob> Slots(int index) => _pages[index / PageTokens].AsSpan(index % PageTokens * (top + 1), top + 1);
}
