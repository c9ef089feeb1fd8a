using System.Globalization;
using System.Text;

namespace Serving.Text.Tokenization.Normalizers;

/// <summary>BERT's own clean-up: control characters out, white space to spaces, spaces around CJK ideographs, no accents, lower case.</summary>
internal sealed class BertNormalizer(bool cleanText, bool spaceIdeographs, bool stripAccents, bool lowercase) : Normalizer
{
    private static readonly UnicodeNormalizer _decompose = new(compose: false, compatibility: false);
    private static readonly StripAccentsNormalizer _stripAccents = new();
    private static readonly LowercaseNormalizer _lowercase = new();

    public override string Normalize(string text)
    {
        text = CleanAndSpace(text);
        text = stripAccents ? _stripAccents.Normalize(_decompose.Normalize(text)) : text;
        return lowercase ? _lowercase.Normalize(text) : text;
    }

    private string CleanAndSpace(string text)
    {
        StringBuilder result = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (cleanText && IsDropped(rune))
            {
                continue;
            }

            if (cleanText && Rune.IsWhiteSpace(rune))
            {
                result.Append(' ');
            }
            else if (spaceIdeographs && IsIdeograph(rune.Value))
            {
                result.Append(' ').Append(rune).Append(' ');
            }
            else
            {
                result.Append(rune);
            }
        }

        return result.ToString();
    }

    private static bool IsDropped(Rune rune) => rune.Value is 0 or 0xFFFD || (rune.Value is not ('\t' or '\n' or '\r')
        && Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.OtherNotAssigned
            or UnicodeCategory.PrivateUse);

    private static bool IsIdeograph(int value) => value is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF)
        or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF)
        or (>= 0x2F800 and <= 0x2FA1F);
}
