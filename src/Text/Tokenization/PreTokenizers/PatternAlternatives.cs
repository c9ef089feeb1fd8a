using System.Buffers;
using System.Globalization;

namespace Serving.Text.Tokenization.PreTokenizers;

/// <summary>Where a match that starts at <paramref name="start"/> ends; -1 where there is none.</summary>
internal delegate int PatternAlternative(ReadOnlySpan<char> text, int start);

/// <summary>
/// Scanners for the alternatives that the split expressions of published tokenizers are made of (GPT-2, Llama 3, Qwen 2, o200k, Tekken,
/// DeepSeek V3 and their kin). Each is the regular expression it stands for, backtracking included.
/// </summary>
internal static class PatternAlternatives
{
    private const CharacterClass Letter = CharacterClass.Letter;
    private const CharacterClass Number = CharacterClass.Number;
    private const CharacterClass Mark = CharacterClass.Mark;
    private const CharacterClass WhiteSpace = CharacterClass.WhiteSpace;
    private const CharacterClass LineEnd = CharacterClass.LineEnd;
    private const CharacterClass PunctuationOrSymbol = CharacterClass.Punctuation | CharacterClass.Symbol;
    private const string AnyCaseContractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private const string SpelledContractions = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
    private const string UpperThenLower = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+";
    private const string UpperOnly = @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*";

    private static readonly SearchValues<char> _metacharacters = SearchValues.Create(@"\[](){}|?*+.^$");

    private static readonly Dictionary<string, PatternAlternative> _known = new()
    {
        [AnyCaseContractions] = (text, at) => Contraction(text, at, longS: true),
        ["'(?i:[sdmt]|ll|ve|re)"] = (text, at) => Contraction(text, at, longS: true),
        [SpelledContractions] = (text, at) => Contraction(text, at, longS: false),
        ["'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])"] = (text, at) => Contraction(text, at, longS: false),
        [@" ?\p{L}+"] = (text, at) => SpaceThenRun(text, at, Letter),
        [@" ?\p{N}+"] = (text, at) => SpaceThenRun(text, at, Number),
        [@"\p{L}+"] = (text, at) => Run(text, at, Letter, int.MaxValue),
        [@"\p{N}+"] = (text, at) => Run(text, at, Number, int.MaxValue),
        [@"\p{N}"] = (text, at) => Run(text, at, Number, 1),
        [@" ?[^\s\p{L}\p{N}]+"] = (text, at) => SpaceThenOthers(text, at, WhiteSpace | Letter | Number, ""),
        [@" ?[^\s\p{L}\p{N}]+[\r\n]*"] = (text, at) => SpaceThenOthers(text, at, WhiteSpace | Letter | Number, "\r\n"),
        [@" ?[^\s\p{L}\p{N}]+[\r\n/]*"] = (text, at) => SpaceThenOthers(text, at, WhiteSpace | Letter | Number, "\r\n/"),
        [@" ?[^\s\p{L}\p{N}\r\n]+"] = (text, at) => SpaceThenOthers(text, at, WhiteSpace | Letter | Number, ""),
        [@" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"] = (text, at) => SpaceThenOthers(text, at, WhiteSpace | Letter | Mark | Number, "\r\n"),
        [@" ?[\p{P}\p{S}]+[\r\n]*"] = PunctuationThenLineEnds,
        [@"[^\r\n\p{L}\p{N}]?\p{L}+"] = (text, at) => PrefixThenRun(text, at, LineEnd | Letter | Number, Letter),
        [@"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+"] = (text, at) => PrefixThenRun(text, at, LineEnd | Letter | Number, Letter | Mark),
        [@"[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"] =
            (text, at) => PrefixThenRun(text, at, LineEnd | Letter | PunctuationOrSymbol, Letter | Mark),
        [UpperThenLower] = CasedWord,
        [UpperOnly] = UpperWord,
        [UpperThenLower + AnyCaseContractions + "?"] = (text, at) => WithContraction(text, CasedWord(text, at), longS: true),
        [UpperOnly + AnyCaseContractions + "?"] = (text, at) => WithContraction(text, UpperWord(text, at), longS: true),
        [UpperThenLower + SpelledContractions + "?"] = (text, at) => WithContraction(text, CasedWord(text, at), longS: false),
        [UpperOnly + SpelledContractions + "?"] = (text, at) => WithContraction(text, UpperWord(text, at), longS: false),
        [@"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"] = AsciiPunctuationThenLetters,
        ["[一-龥぀-ゟ゠-ヿ]+"] = HanOrKana,
        [@"\s*[\r\n]+"] = SpacesToLastLineEnd,
        [@"\s+(?!\S)"] = SpacesBeforeSpaceOrEnd,
        [@"\s+"] = (text, at) => Run(text, at, WhiteSpace, int.MaxValue),
    };

    /// <summary>The scanner for an alternative, or null where it is not known.</summary>
    public static PatternAlternative? Find(string regex)
    {
        // Some files hold the line ends themselves where others hold their escapes.
        regex = regex.Replace("\r", @"\r", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);
        if (_known.TryGetValue(regex, out PatternAlternative? known))
        {
            return known;
        }

        if (regex.StartsWith(@"\p{N}{", StringComparison.Ordinal) && TryParseCountMax(regex[6..], out int countMax))
        {
            return (text, at) => Run(text, at, Number, countMax);
        }

        return regex.Length > 0 && !regex.AsSpan().ContainsAny(_metacharacters) ? (text, at) => Literal(text, at, regex) : null;
    }

    private static bool TryParseCountMax(string bounds, out int countMax)
    {
        countMax = 1;
        return bounds == "1}"
            || (bounds.StartsWith("1,", StringComparison.Ordinal) && bounds.EndsWith('}')
                && int.TryParse(bounds.AsSpan(2, bounds.Length - 3), NumberStyles.None, CultureInfo.InvariantCulture, out countMax) && countMax > 0);
    }

    private static int Literal(ReadOnlySpan<char> text, int at, string literal) =>
        text[at..].StartsWith(literal, StringComparison.Ordinal) ? at + literal.Length : -1;

    /// <param name="longS">Whether ſ counts as an s, as it does where the expression says "any case".</param>
    private static int Contraction(ReadOnlySpan<char> text, int at, bool longS)
    {
        if (text[at] != '\'' || at + 1 >= text.Length)
        {
            return -1;
        }

        char first = (char)(text[at + 1] | 0x20);
        char second = at + 2 < text.Length ? (char)(text[at + 2] | 0x20) : '\0';
        if (first is 's' or 't' or 'm' or 'd' || (longS && text[at + 1] == 'ſ'))
        {
            return at + 2;
        }

        return (first, second) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? at + 3 : -1;
    }

    private static int WithContraction(ReadOnlySpan<char> text, int end, bool longS)
    {
        int contracted = end >= 0 && end < text.Length ? Contraction(text, end, longS) : -1;
        return contracted >= 0 ? contracted : end;
    }

    private static int SpaceThenRun(ReadOnlySpan<char> text, int at, CharacterClass classes) =>
        Run(text, text[at] == ' ' ? at + 1 : at, classes, int.MaxValue);

    private static int SpaceThenOthers(ReadOnlySpan<char> text, int at, CharacterClass excluded, string tail)
    {
        int end = RunOfOthers(text, text[at] == ' ' ? at + 1 : at, excluded);
        return end < 0 ? -1 : EndOfAny(text, end, tail);
    }

    private static int PunctuationThenLineEnds(ReadOnlySpan<char> text, int at)
    {
        int end = SpaceThenRun(text, at, PunctuationOrSymbol);
        return end < 0 ? -1 : EndOfAny(text, end, "\r\n");
    }

    private static int PrefixThenRun(ReadOnlySpan<char> text, int at, CharacterClass notPrefix, CharacterClass classes)
    {
        CharacterClass first = CharacterClasses.At(text, at, out int length);
        int end = (first & notPrefix) == 0 ? Run(text, at + length, classes, int.MaxValue) : -1;
        return end >= 0 ? end : Run(text, at, classes, int.MaxValue);
    }

    private static int CasedWord(ReadOnlySpan<char> text, int at)
    {
        CharacterClass first = CharacterClasses.At(text, at, out int length);
        int end = (first & (LineEnd | Letter | Number)) == 0 ? UppersThenLowers(text, at + length) : -1;
        return end >= 0 ? end : UppersThenLowers(text, at);
    }

    /// <summary><c>upper*lower+</c>: the uppers take all they can and give back, from the end, until a lower follows.</summary>
    private static int UppersThenLowers(ReadOnlySpan<char> text, int at)
    {
        int uppersEnd = Math.Max(Run(text, at, CharacterClass.UpperOrUncased, int.MaxValue), at);
        int end = Run(text, uppersEnd, CharacterClass.LowerOrUncased, int.MaxValue);
        if (end >= 0)
        {
            return end;
        }

        for (int last = uppersEnd; last > at;)
        {
            last -= last - 2 >= at && char.IsLowSurrogate(text[last - 1]) && char.IsHighSurrogate(text[last - 2]) ? 2 : 1;
            if ((CharacterClasses.At(text, last, out int length) & CharacterClass.LowerOrUncased) != 0)
            {
                return last + length;
            }
        }

        return -1;
    }

    private static int UpperWord(ReadOnlySpan<char> text, int at)
    {
        CharacterClass first = CharacterClasses.At(text, at, out int length);
        int uppersEnd = (first & (LineEnd | Letter | Number)) == 0 ? Run(text, at + length, CharacterClass.UpperOrUncased, int.MaxValue) : -1;
        uppersEnd = uppersEnd >= 0 ? uppersEnd : Run(text, at, CharacterClass.UpperOrUncased, int.MaxValue);
        return uppersEnd < 0 ? -1 : Math.Max(Run(text, uppersEnd, CharacterClass.LowerOrUncased, int.MaxValue), uppersEnd);
    }

    private static int AsciiPunctuationThenLetters(ReadOnlySpan<char> text, int at)
    {
        if ((CharacterClasses.At(text, at, out _) & CharacterClass.AsciiPunctuation) == 0)
        {
            return -1;
        }

        int end = at + 1;
        while (end < text.Length && char.IsAsciiLetter(text[end]))
        {
            end++;
        }

        return end > at + 1 ? end : -1;
    }

    private static int HanOrKana(ReadOnlySpan<char> text, int at)
    {
        int end = at;
        while (end < text.Length && text[end] is (>= '一' and <= '龥') or (>= '\u3040' and <= '\u30FF'))
        {
            end++;
        }

        return end > at ? end : -1;
    }

    private static int SpacesToLastLineEnd(ReadOnlySpan<char> text, int at)
    {
        int lastLineEnd = -1;
        for (int i = at; i < text.Length && char.IsWhiteSpace(text[i]); i++)
        {
            lastLineEnd = text[i] is '\r' or '\n' ? i : lastLineEnd;
        }

        return lastLineEnd < 0 ? -1 : lastLineEnd + 1;
    }

    private static int SpacesBeforeSpaceOrEnd(ReadOnlySpan<char> text, int at)
    {
        int end = Run(text, at, WhiteSpace, int.MaxValue);
        return end == text.Length ? end : end - 1 > at ? end - 1 : -1;
    }

    private static int EndOfAny(ReadOnlySpan<char> text, int at, string characters)
    {
        int length = text[at..].IndexOfAnyExcept(characters);
        return length < 0 ? text.Length : at + length;
    }

    private static int Run(ReadOnlySpan<char> text, int at, CharacterClass classes, int countMax)
    {
        int end = at;
        for (int count = 0; end < text.Length && count < countMax; count++)
        {
            if ((CharacterClasses.At(text, end, out int length) & classes) == 0)
            {
                break;
            }

            end += length;
        }

        return end > at ? end : -1;
    }

    private static int RunOfOthers(ReadOnlySpan<char> text, int at, CharacterClass excluded)
    {
        int end = at;
        while (end < text.Length && (CharacterClasses.At(text, end, out int length) & excluded) == 0)
        {
            end += length;
        }

        return end > at ? end : -1;
    }
}
