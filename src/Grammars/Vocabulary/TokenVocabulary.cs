using System.Text;
using Serving.Grammars.Matching;

namespace Serving.Grammars;

/// <summary>
/// A model's tokens as tries of their bytes. Immutable; one serves all grammars of a model. A special token has no text, so it stands in the trie
/// under bytes that no text has (<see cref="SpecialKey"/>), and a grammar can ask for it by name.
/// </summary>
public sealed class TokenVocabulary
{
    private const byte SpecialBegin = 0xFF;
    private const byte SpecialEnd = 0xFE;

    private readonly bool[] _isWritable = new bool[256];
    private readonly HashSet<string> _specials = [];

    /// <param name="tokens">By id.</param>
    public TokenVocabulary(IReadOnlyList<VocabularyToken> tokens)
    {
        Size = tokens.Count;
        TokenBytes = [.. tokens.Select(BytesOf)];
        Trie = new TokenTrie(TokenBytes);
        var leading = tokens.Select((token, id) => token.SpecialName is null ? TextOf(token.LeadingBytes) : TokenBytes[id]).ToArray();
        LeadingBytes = leading;
        LeadingTrie = tokens.All(token => token.Bytes.Span.SequenceEqual(token.LeadingBytes.Span)) ? Trie : new TokenTrie(leading);
        foreach (var token in tokens)
        {
            if (token.SpecialName is { } name)
            {
                _specials.Add(name);
            }
            else if (token.Bytes.Length == 1)
            {
                _isWritable[token.Bytes.Span[0]] = true;
            }
        }

        _isWritable[SpecialBegin] = _specials.Count > 0;
        _isWritable[SpecialEnd] = _specials.Count > 0;
    }

    /// <summary>One more than the highest id.</summary>
    public int Size { get; }

    /// <summary>By id; empty for tokens that no grammar can ask for.</summary>
    internal IReadOnlyList<ReadOnlyMemory<byte>> TokenBytes { get; }

    /// <summary>The same for the first token of a text.</summary>
    internal IReadOnlyList<ReadOnlyMemory<byte>> LeadingBytes { get; }

    internal TokenTrie Trie { get; }

    /// <summary>The same object as <see cref="Trie"/> where the first token of a text is like every other.</summary>
    internal TokenTrie LeadingTrie { get; }

    /// <summary>What grammars have in common.</summary>
    internal MaskCache Masks { get; } = new();

    /// <summary>Whether there is a token of that one byte: where a grammar needs a byte, one token at least can go on.</summary>
    internal bool CanWrite(byte value) => _isWritable[value];

    internal bool HasSpecial(string name) => _specials.Contains(name);

    /// <summary>Bytes that stand for a special token in tries and grammars: its name in hexadecimal digits, which every vocabulary can write, between two bytes that UTF-8 never has.</summary>
    internal static byte[] SpecialKey(string name) =>
        [SpecialBegin, .. Encoding.ASCII.GetBytes(Convert.ToHexString(Encoding.UTF8.GetBytes(name))), SpecialEnd];

    private static ReadOnlyMemory<byte> BytesOf(VocabularyToken token) => token.SpecialName is { } name ? SpecialKey(name) : TextOf(token.Bytes);

    /// <summary>A token's text; nothing for one of bytes that no text has, which would otherwise pass for a part of a special token.</summary>
    private static ReadOnlyMemory<byte> TextOf(ReadOnlyMemory<byte> bytes) => bytes.Span.IndexOfAny(SpecialBegin, SpecialEnd) < 0 ? bytes : default;
}
