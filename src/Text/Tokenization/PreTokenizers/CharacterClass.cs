using System.Globalization;
using System.Text;

namespace Serving.Text.Tokenization.PreTokenizers;

/// <summary>The classes that split patterns name, one bit each.</summary>
[Flags]
internal enum CharacterClass : ushort
{
    None = 0,
    Letter = 1,
    Number = 2,
    Mark = 4,
    Punctuation = 8,
    Symbol = 16,
    WhiteSpace = 32,
    LineEnd = 64,

    /// <summary><c>[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]</c></summary>
    UpperOrUncased = 128,

    /// <summary><c>[\p{Ll}\p{Lm}\p{Lo}\p{M}]</c></summary>
    LowerOrUncased = 256,

    /// <summary>ASCII punctuation in the sense of C, symbols included.</summary>
    AsciiPunctuation = 512,

    /// <summary>The connectors of words, as <c>_</c>.</summary>
    Connector = 1024,
}

/// <summary>Classifies characters by table; those beyond the basic plane by their Unicode category.</summary>
internal static class CharacterClasses
{
    private static readonly CharacterClass[] _basicPlane = BuildBasicPlane();

    /// <summary>The class of the character that starts at <paramref name="at"/>, and its length; a lone surrogate is in no class.</summary>
    public static CharacterClass At(ReadOnlySpan<char> text, int at, out int length)
    {
        char c = text[at];
        length = 1;
        if (!char.IsHighSurrogate(c) || at + 1 >= text.Length || !char.IsLowSurrogate(text[at + 1]))
        {
            return _basicPlane[c];
        }

        length = 2;
        return Of(Rune.GetUnicodeCategory(new Rune(c, text[at + 1])));
    }

    private static CharacterClass[] BuildBasicPlane()
    {
        CharacterClass[] classes = new CharacterClass[char.MaxValue + 1];
        for (int c = 0; c < classes.Length; c++)
        {
            classes[c] = Of(CharUnicodeInfo.GetUnicodeCategory((char)c))
                | (char.IsWhiteSpace((char)c) ? CharacterClass.WhiteSpace : 0)
                | (c is '\r' or '\n' ? CharacterClass.LineEnd : 0)
                | (char.IsAscii((char)c) && (char.IsPunctuation((char)c) || char.IsSymbol((char)c)) ? CharacterClass.AsciiPunctuation : 0);
        }

        return classes;
    }

    private static CharacterClass Of(UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => CharacterClass.Letter | CharacterClass.UpperOrUncased,
        UnicodeCategory.LowercaseLetter => CharacterClass.Letter | CharacterClass.LowerOrUncased,
        UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter =>
            CharacterClass.Letter | CharacterClass.UpperOrUncased | CharacterClass.LowerOrUncased,
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark =>
            CharacterClass.Mark | CharacterClass.UpperOrUncased | CharacterClass.LowerOrUncased,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharacterClass.Number,
        UnicodeCategory.ConnectorPunctuation => CharacterClass.Punctuation | CharacterClass.Connector,
        UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation
            or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation
            or UnicodeCategory.OtherPunctuation => CharacterClass.Punctuation,
        UnicodeCategory.MathSymbol or UnicodeCategory.CurrencySymbol or UnicodeCategory.ModifierSymbol
            or UnicodeCategory.OtherSymbol => CharacterClass.Symbol,
        _ => CharacterClass.None,
    };
}
