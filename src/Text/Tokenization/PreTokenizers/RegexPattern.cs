using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Serving.Text.Tokenization.PreTokenizers;

/// <summary>
/// Any regular expression, by .NET's engine, in linear time where the expression allows it and with a time limit where not. .NET sees
/// UTF-16 units and takes half a character for no letter; so a text with characters beyond the basic plane is matched with each of them
/// stood in for by a character of the same category.
/// </summary>
internal sealed class RegexPattern : ISplitPattern
{
    private static readonly TimeSpan _matchTimeMax = TimeSpan.FromSeconds(5);

    private readonly Regex _regex;

    private RegexPattern(Regex regex) => _regex = regex;

    /// <exception cref="TokenizerFormatException">The expression is not one .NET understands.</exception>
    public static RegexPattern Create(string expression, string field)
    {
        try
        {
            return new RegexPattern(CreateLinear(expression) ?? new Regex(expression, RegexOptions.CultureInvariant, _matchTimeMax));
        }
        catch (ArgumentException error)
        {
            throw new TokenizerFormatException(field, $"'{expression}' is not a regular expression that is supported: {error.Message}", error);
        }
    }

    public bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end)
    {
        foreach (ValueMatch match in _regex.EnumerateMatches(text, from))
        {
            (start, end) = (match.Index, match.Index + match.Length);
            return true;
        }

        (start, end) = (text.Length, text.Length);
        return false;
    }

    public ISplitPattern ForText(ReadOnlySpan<char> text)
    {
        if (text.IndexOfAnyInRange('\uD800', '\uDFFF') < 0)
        {
            return this;
        }

        StringBuilder standIn = new(text.Length);
        List<int> origins = new(text.Length + 1);
        for (int at = 0; at < text.Length;)
        {
            Rune.DecodeFromUtf16(text[at..], out Rune rune, out int length);
            standIn.Append(length == 2 ? StandInFor(rune) : text[at]);
            origins.Add(at);
            at += length;
        }

        origins.Add(text.Length);
        List<TextRange> found = [];
        foreach (ValueMatch match in _regex.EnumerateMatches(standIn.ToString()))
        {
            int start = origins[match.Index];
            found.Add(new TextRange(start, origins[match.Index + match.Length] - start));
        }

        return new FoundMatches(found);
    }

    private static Regex? CreateLinear(string expression)
    {
        try
        {
            return new Regex(expression, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking, _matchTimeMax);
        }
        catch (NotSupportedException)
        {
            return null;
        }
    }

    private static char StandInFor(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter => '\uA780',
        UnicodeCategory.LowercaseLetter => '\uA781',
        UnicodeCategory.ModifierLetter => '\uA788',
        UnicodeCategory.OtherLetter => '\uA000',
        UnicodeCategory.NonSpacingMark => '\uA66F',
        UnicodeCategory.SpacingCombiningMark => '\uA823',
        UnicodeCategory.DecimalDigitNumber => '\uA620',
        UnicodeCategory.LetterNumber => '\uA6E6',
        UnicodeCategory.OtherNumber => '\uA830',
        UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation
            or UnicodeCategory.OtherPunctuation => '\uA6F2',
        UnicodeCategory.MathSymbol => '\u29B0',
        UnicodeCategory.CurrencySymbol => '\uA838',
        UnicodeCategory.ModifierSymbol => '\uA700',
        UnicodeCategory.OtherSymbol => '\uA490',
        UnicodeCategory.Format => '\u200B',
        UnicodeCategory.PrivateUse => '\uE000',
        _ => '\uFFFF',
    };

    private sealed class FoundMatches(List<TextRange> found) : ISplitPattern
    {
        private int _index;

        public bool TryFind(ReadOnlySpan<char> text, int from, out int start, out int end)
        {
            while (_index < found.Count && found[_index].Start < from)
            {
                _index++;
            }

            (start, end) = _index < found.Count ? (found[_index].Start, found[_index].End) : (text.Length, text.Length);
            return _index < found.Count;
        }
    }
}
