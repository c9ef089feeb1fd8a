namespace Serving.Text.Tokenization.Models;

/// <summary>
/// The pairs of neighbouring characters that occur inside tokens. Between two characters that are in no token side by side no merge can
/// happen, so that a long text may be cut there without changing its ids. A hashed bit set: a false positive only forgoes a cut.
/// </summary>
internal sealed class CharacterPairs
{
    private const int BitCountLog2 = 21;

    private readonly ulong[] _bits = new ulong[1 << (BitCountLog2 - 6)];

    public void AddToken(ReadOnlySpan<char> token)
    {
        for (int i = 1; i < token.Length; i++)
        {
            uint bit = Bit(token[i - 1], token[i]);
            _bits[bit >> 6] |= 1UL << (int)(bit & 63);
        }
    }

    /// <summary>The length of the first part of <paramref name="text"/> that can be encoded by itself.</summary>
    public int FirstPartLength(ReadOnlySpan<char> text)
    {
        for (int i = 1; i < text.Length; i++)
        {
            uint bit = Bit(text[i - 1], text[i]);
            if ((_bits[bit >> 6] & (1UL << (int)(bit & 63))) == 0 && !char.IsLowSurrogate(text[i]))
            {
                return i;
            }
        }

        return text.Length;
    }

    private static uint Bit(char first, char second) => ((((uint)first << 16) | second) * 0x9E3779B1) >> (32 - BitCountLog2);
}
