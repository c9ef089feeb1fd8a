using CsCheck;
using Serving.Text.Tokenization;
using Serving.Text.Tokenization.Gguf;
using Serving.Text.Tokenization.Json;
using Serving.Text.Tokenization.PreTokenizers;
using Xunit;

namespace Serving.Text.Tests.Tokenization;

public sealed class ScannerPatternTests
{
    private static readonly string[] _telling =
    [
        "'s", "'S", "'ll", "'Ve", "'", "ſ", "a", "B", "ab", "Ab", "ǅ", "ª", "ʰ", "日", "ひ", "カ", "é", "e\u0301", "\u0301", "1", "23", "Ⅷ", "½", " ", "  ",
        "\t", "\n", "\r\n", "\u00A0", "\u3000", "\u0085", "\u200B", ".", "!?", "/", "_", "-", "$", "+", "€", "“", "\0", "𝕌", "𝕟", "🙂", "𐍈", "\U000E0100",
    ];

    /// <summary>Texts that are dense in what split patterns tell apart, with any other character now and then.</summary>
    private static readonly Gen<string> _texts = Gen.Select(Gen.Int[0, _telling.Length + 5], Gen.Char.Where(c => !char.IsSurrogate(c)))
        .Select((index, other) => index < _telling.Length ? _telling[index] : other.ToString()).Array[0, 24].Select(parts => string.Concat(parts));

    public static TheoryData<string> Expressions =>
    [
        .. GgufPreTokenizer.AllExpressions.Where(expression => ScannerPattern.TryCreate(expression) is not null),
        @"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        "[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
    ];

    [Theory]
    [MemberData(nameof(Expressions))]
    public void Finds_what_the_regular_expression_finds(string expression)
    {
        // "Any case" in the expressions' own engine takes ſ for an s; .NET's does not.
        RegexPattern reference = RegexPattern.Create(expression.Replace("(?i:'s", "(?i:'s|'ſ", StringComparison.Ordinal), "test");
        ScannerPattern scanner = ScannerPattern.TryCreate(expression)!;
        _texts.Sample(text => FindAll(reference, text).SequenceEqual(FindAll(scanner, text)), iter: 3000);
    }

    [Fact]
    public void Runs_the_expressions_in_use_without_an_interpreter()
    {
        foreach (string name in (string[])["gpt-2", "llama-bpe", "qwen2", "smollm", "gpt-4o", "tekken", "deepseek-v3"])
        {
            Assert.All(GgufPreTokenizer.Find(name).Expressions, expression => Assert.NotNull(ScannerPattern.TryCreate(expression)));
        }
    }

    [Fact]
    public void Leaves_unknown_expressions_to_the_interpreter() => Assert.IsType<RegexPattern>(PatternReader.FromRegex(@"\p{Lu}+|x", "test"));

    [Fact]
    public void Refuses_an_expression_that_is_not_one() =>
        Assert.Contains("pattern", Assert.Throws<TokenizerFormatException>(() => PatternReader.FromRegex("(", "pattern")).Message, StringComparison.Ordinal);

    private static List<(int Start, int End)> FindAll(ISplitPattern pattern, string text)
    {
        ISplitPattern matches = pattern.ForText(text);
        List<(int, int)> found = [];
        for (int from = 0; matches.TryFind(text, from, out int start, out int end); from = end)
        {
            found.Add((start, end));
        }

        return found;
    }
}
