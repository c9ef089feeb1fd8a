using System.Text;

namespace Serving.Text.Tokenization.Models;

/// <summary>
/// GPT-2's way to write any byte as a printable character, so that a vocabulary of bytes is a list of strings: bytes that print as
/// themselves in Latin-1 stay, the others follow from U+0100 on (Radford et al., "Language Models are Unsupervised Multitask Learners").
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] _characters = BuildCharacters();
    private static readonly short[] _bytes = BuildBytes();

    public static char Character(byte value) => _characters[value];

    /// <summary>The bytes that <paramref name="token"/> stands for; its own UTF-8 where it is not written in the alphabet.</summary>
    public static byte[] Decode(string token)
    {
        byte[] bytes = new byte[token.Length];
        for (int i = 0; i < token.Length; i++)
        {
            int value = token[i] < _bytes.Length ? _bytes[token[i]] : -1;
            if (value < 0)
            {
                return Encoding.UTF8.GetBytes(token);
            }

            bytes[i] = (byte)value;
        }

        return bytes;
    }

    private static char[] BuildCharacters()
    {
        char[] characters = new char[256];
        char next = '\u0100';
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE;
            characters[value] = printable ? (char)value : next++;
        }

        return characters;
    }

    private static short[] BuildBytes()
    {
        short[] bytes = new short[0x144];
        Array.Fill(bytes, (short)-1);
        for (int value = 0; value < 256; value++)
        {
            bytes[_characters[value]] = (short)value;
        }

        return bytes;
    }
}
