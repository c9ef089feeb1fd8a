using System.Globalization;
using System.Text;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>Case changes, character by character so that marks stay. Where Unicode gives a letter several capitals (ß → SS), so does this.</summary>
internal static class LetterCase
{
    private delegate string Mapping(Rune rune, int position, bool afterLetter);

    public static MarkedString Upper(MarkedString text, RenderContext context) => Map(text, context, static (rune, _, _) => ToUpper(rune));

    public static MarkedString Lower(MarkedString text, RenderContext context) =>
        Map(text, context, (rune, position, _) => ToLower(rune, text.Text, position));

    public static MarkedString Capitalize(MarkedString text, RenderContext context) =>
        Map(text, context, (rune, position, _) => position == 0 ? ToTitle(rune) : ToLower(rune, text.Text, position));

    /// <summary>Python's method: a letter after a letter is small, any other is a capital.</summary>
    public static MarkedString Title(MarkedString text, RenderContext context) =>
        Map(text, context, (rune, position, afterLetter) => afterLetter ? ToLower(rune, text.Text, position) : ToTitle(rune));

    /// <summary>Jinja's filter: words begin after whitespace, hyphens and opening brackets only.</summary>
    public static MarkedString TitleWords(MarkedString text, RenderContext context) => Map(text, context, (rune, position, _) =>
        position == 0 || BeginsWord(text.Text[position - 1]) != BeginsWord(text.Text[position]) ? ToUpper(rune) : ToLower(rune, text.Text, position));

    public static MarkedString Swap(MarkedString text, RenderContext context) =>
        Map(text, context, (rune, position, _) => Rune.IsUpper(rune) ? ToLower(rune, text.Text, position) : ToUpper(rune));

    public static bool IsLower(MarkedString text) => text.Text.Any(char.IsLower) && !text.Text.Any(char.IsUpper);

    public static bool IsUpper(MarkedString text) => text.Text.Any(char.IsUpper) && !text.Text.Any(char.IsLower);

    private static MarkedString Map(MarkedString text, RenderContext context, Mapping mapping)
    {
        MarkedTextBuilder builder = context.NewBuilder();
        bool afterLetter = false;
        int position = 0;
        foreach (Rune rune in text.Text.EnumerateRunes())
        {
            string mapped = mapping(rune, position, afterLetter);
            if (mapped.AsSpan().SequenceEqual(text.Text.AsSpan(position, rune.Utf16SequenceLength)))
            {
                builder.Append(text, position, rune.Utf16SequenceLength);
            }
            else
            {
                builder.Append(mapped, text.IsTrustedAt(position));
            }

            afterLetter = IsCased(rune);
            position += rune.Utf16SequenceLength;
        }

        return builder.ToMarkedString();
    }

    private static string ToUpper(Rune rune) => rune.Value switch
    {
        'ß' => "SS",
        'ŉ' => "ʼN",
        'ı' => "I",
        'ſ' => "S",
        'ΐ' => "\u0399\u0308\u0301",
        'ΰ' => "\u03a5\u0308\u0301",
        'և' => "ԵՒ",
        'ﬀ' => "FF",
        'ﬁ' => "FI",
        'ﬂ' => "FL",
        'ﬃ' => "FFI",
        'ﬄ' => "FFL",
        'ﬅ' or 'ﬆ' => "ST",
        _ => Rune.ToUpperInvariant(rune).ToString(),
    };

    /// <summary>As a capital, but of letters that are written as two only the first is one.</summary>
    private static string ToTitle(Rune rune)
    {
        string upper = rune.Value switch
        {
            'ǆ' or 'ǅ' or 'Ǆ' => "ǅ",
            'ǉ' or 'ǈ' or 'Ǉ' => "ǈ",
            'ǌ' or 'ǋ' or 'Ǌ' => "ǋ",
            'ǳ' or 'ǲ' or 'Ǳ' => "ǲ",
            >= 'ა' and <= 'ჿ' => rune.ToString(),
            _ => ToUpper(rune),
        };
        return upper.Length > 1 && char.IsUpper(upper[0]) ? upper[0] + upper[1..].ToLowerInvariant() : upper;
    }

    private static string ToLower(Rune rune, string text, int position) => rune.Value switch
    {
        'İ' => "i\u0307",
        'Σ' when IsFinalSigma(text, position) => "ς",
        _ => Rune.ToLowerInvariant(rune).ToString(),
    };

    private static bool IsFinalSigma(string text, int position) =>
        position > 0 && char.IsLetter(text[position - 1]) && (position + 1 == text.Length || !char.IsLetter(text[position + 1]));

    private static bool IsCased(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;

    private static bool BeginsWord(char before) => PythonText.IsSpace(before) || before is '-' or '(' or '{' or '[' or '<';
}
