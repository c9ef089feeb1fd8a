using Serving.Grammars.Matching;

namespace Serving.Grammars;

/// <summary>
/// Follows one answer through a grammar: says which tokens may come next, and takes the one that came. One thread at a time uses it. It holds nothing but
/// its place, so the same tokens given to a new one, on another worker too, lead to the same place.
/// </summary>
public sealed class GrammarMatcher
{
    /// <summary>Tokens that can be taken back.</summary>
    public const int RollbackMax = 64;

    /// <summary>Nodes of the vocabulary's trie that <see cref="TryPrepare"/> looks at: some tens of microseconds.</summary>
    private const long StepsMax = 16_384;

    private readonly CompiledGrammar _grammar;
    private readonly ReadOnlyMemory<int> _endTokens;
    private readonly Configuration[] _past = new Configuration[RollbackMax];
    private Configuration _current;
    private int _count;
    private int _kept;

    /// <param name="endTokens">
    /// Tokens that end an answer: allowed where the grammar's text is complete, and only there. One with a text, which a client may name, is allowed also where nothing but
    /// such texts may come: it cuts the answer off there, as a stop sequence does.
    /// </param>
    public GrammarMatcher(CompiledGrammar grammar, ReadOnlyMemory<int> endTokens)
    {
        _grammar = grammar;
        _endTokens = endTokens;
        _current = grammar.Root;
    }

    /// <summary>Words that a mask has: one bit a token, the lowest id in the lowest bit.</summary>
    public int MaskWords => TokenSet.WordCount(_grammar.Vocabulary.Size);

    /// <summary>Whether the answer may end here.</summary>
    public bool IsComplete => _current.IsComplete;

    /// <summary>Whether nothing but the end may come.</summary>
    public bool MustEnd => _current.IsComplete && _current.Tops.Length == 0;

    /// <summary>Tokens taken.</summary>
    public int Count => _count;

    /// <summary>
    /// Finds the masks that <see cref="Fill"/> needs here, unless that takes longer than some tens of microseconds.
    /// </summary>
    /// <returns>Whether they are there. If not, <see cref="Fill"/> would take that long; <see cref="MasksToCome"/> are to be computed elsewhere.</returns>
    public bool TryPrepare() => _grammar.TryPrepare(_current, _count == 0, StepsMax);

    /// <summary>The masks that are needed here, to be computed by another thread.</summary>
    public PendingMasks MasksToCome() => new(_grammar, _current, _count == 0);

    /// <summary>Sets the bits of the tokens that may come next, and clears all others.</summary>
    /// <param name="mask">At least as many bits as the vocabulary has.</param>
    /// <returns>Whether any of them goes on with the answer: false where all end it.</returns>
    public bool Fill(Span<ulong> mask)
    {
        mask.Clear();
        _grammar.AddAllowed(_current, _count == 0, mask);
        foreach (var token in _endTokens.Span)
        {
            if (IsIn(mask, token))
            {
                mask[token / 64] &= ~(1UL << token);
            }
        }

        var goesOn = mask.ContainsAnyExcept(0UL);
        foreach (var token in _endTokens.Span)
        {
            if (IsIn(mask, token) && (_current.IsComplete || (!goesOn && TryFollow(_current, token, _count == 0, out _))))
            {
                mask[token / 64] |= 1UL << token;
            }
        }

        return goesOn;
    }

    /// <summary>Takes the next token. One that ends a complete answer leads nowhere.</summary>
    /// <returns>False, and nothing is taken, where it must not come.</returns>
    public bool TryAdvance(int token)
    {
        if (!TryFollow(_current, token, _count == 0, out var next))
        {
            return false;
        }

        _past[_count++ % RollbackMax] = _current;
        _kept = Math.Min(_kept + 1, RollbackMax);
        _current = next;
        return true;
    }

    /// <summary>Takes back the last tokens.</summary>
    /// <param name="tokens">No more than were taken, and no more than the last <see cref="RollbackMax"/>.</param>
    public void Rollback(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens, _kept);
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        if (tokens > 0)
        {
            _kept -= tokens;
            _count -= tokens;
            _current = _past[_count % RollbackMax];
        }
    }

    /// <summary>How many of some tokens, from the first, could come one after the other. Takes none.</summary>
    public int CountAllowed(ReadOnlySpan<int> tokens)
    {
        var at = _current;
        for (var i = 0; i < tokens.Length; i++)
        {
            if (!TryFollow(at, tokens[i], _count + i == 0, out at))
            {
                return i;
            }
        }

        return tokens.Length;
    }

    /// <summary>A tokenizer may know tokens that the model has no logits for.</summary>
    private static bool IsIn(ReadOnlySpan<ulong> mask, int token) => (uint)token / 64 < (uint)mask.Length;

    // Of an end token with a text only a mask says whether it may come before the end: it is not forbidden here where it could lead on.
    private bool TryFollow(Configuration from, int token, bool isFirst, out Configuration to)
    {
        to = from;
        if (from.IsComplete && _endTokens.Span.Contains(token))
        {
            return true;
        }

        var vocabulary = _grammar.Vocabulary;
        if ((uint)token >= (uint)vocabulary.Size)
        {
            return false;
        }

        var text = (isFirst ? vocabulary.LeadingBytes : vocabulary.TokenBytes)[token].Span;
        to = _grammar.Step(from, text);
        return text.Length > 0 && !to.IsDead;
    }
}
