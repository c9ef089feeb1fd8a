namespace Serving.Grammars.Matching;

/// <summary>What can be said of tokens at a state of a rule without knowing what follows the rule.</summary>
internal sealed class LocalMask
{
    private readonly TokenSet _all;

    // Of a repetition: items that a token begins, 0 for one that is not accepted; and the sets of those that begin no more than so many.
    private readonly ushort[]? _items;
    private readonly TokenSet?[] _narrowed;

    /// <param name="accepted">Allowed whatever follows, where a repetition may go on for as long as a token does.</param>
    /// <param name="items">Of a repetition: items that each token begins or is in; null: nothing is counted, or it was counted in <paramref name="accepted"/>.</param>
    /// <param name="exits">Where tokens that are not accepted leave the rule.</param>
    public LocalMask(TokenSet accepted, ushort[]? items, RuleExit[] exits)
    {
        _all = accepted;
        _items = items;
        _narrowed = new TokenSet?[items is null ? 0 : items.Max()];
        Exits = exits;
    }

    public RuleExit[] Exits { get; }

    /// <summary>Whether exits tell how many items came before them.</summary>
    public bool CountsItems => _items is not null;

    /// <summary>Memory that it takes once all of it is there.</summary>
    public long BytesMax => _all.Bytes + (Exits.Length * 8L) + (_items is null ? 0 : (_items.Length * 2L) + (_narrowed.Length * _items.Length / 8L));

    /// <summary>Whether a token could begin more items than that.</summary>
    public bool IsNarrowedBy(int left) => left < _narrowed.Length;

    /// <summary>Tokens that are allowed whatever follows.</summary>
    /// <param name="left">Items that may still come, the one under way included.</param>
    public TokenSet Within(int left) => !IsNarrowedBy(left) ? _all : _narrowed[left] ??= Narrow(left);

    private TokenSet Narrow(int left)
    {
        var bits = new ulong[TokenSet.WordCount(_items!.Length)];
        for (var token = 0; token < _items.Length; token++)
        {
            if (_items[token] != 0 && _items[token] <= left)
            {
                bits[token >> 6] |= 1UL << token;
            }
        }

        return TokenSet.Of(bits);
    }
}
