using System.Globalization;

namespace Serving.Text.Tokenization.Models;

/// <summary>The tokens <c>&lt;0x00&gt;</c> … <c>&lt;0xFF&gt;</c> that write a character byte by byte.</summary>
internal static class ByteTokens
{
    public static bool TryParse(string token, out byte value)
    {
        value = 0;
        return token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
            && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>Ids by byte; -1 where the vocabulary has no such token.</summary>
    public static int[] Find(Dictionary<string, int> vocabulary)
    {
        int[] ids = new int[256];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = vocabulary.GetValueOrDefault(string.Create(CultureInfo.InvariantCulture, $"<0x{i:X2}>"), -1);
        }

        return ids;
    }
}
