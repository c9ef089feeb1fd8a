using Serving.Text.Tokenization.Normalizers;
using Xunit;

namespace Serving.Text.Tests.Tokenization;

public sealed class NormalizerTests
{
    /// <summary>From UAX #15's figures, and cases where marks are reordered, blocked or excluded from composition.</summary>
    [Theory]
    [InlineData("plain", "plain", "plain", "plain")]
    [InlineData("\u00C5", "\u00C5", "A\u030A", "\u00C5")]
    [InlineData("\u212B", "\u00C5", "A\u030A", "\u00C5")]
    [InlineData("\u1E9B\u0323", "\u1E9B\u0323", "\u017F\u0323\u0307", "\u1E69")]
    [InlineData("d\u0323\u0307", "\u1E0D\u0307", "d\u0323\u0307", "\u1E0D\u0307")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307", "q\u0323\u0307", "q\u0323\u0307")]
    [InlineData("\uFB01\u00B2", "\uFB01\u00B2", "\uFB01\u00B2", "fi2")]
    [InlineData("\u1112\u1161\u11AB", "\uD55C", "\u1112\u1161\u11AB", "\uD55C")]
    [InlineData("\uD55C\u11A8", "\uD55C\u11A8", "\u1112\u1161\u11AB\u11A8", "\uD55C\u11A8")]
    [InlineData("\u0958", "\u0915\u093C", "\u0915\u093C", "\u0915\u093C")]
    [InlineData("a\u0305\u0301", "a\u0305\u0301", "a\u0305\u0301", "a\u0305\u0301")]
    [InlineData("\U0002F800", "\u4E3D", "\u4E3D", "\u4E3D")]
    [InlineData("\U0001D7D8", "\U0001D7D8", "\U0001D7D8", "0")]
    public void Normalizes_as_Unicode_says(string text, string nfc, string nfd, string nfkc)
    {
        Assert.Equal(nfc, new UnicodeNormalizer(compose: true, compatibility: false).Normalize(text));
        Assert.Equal(nfd, new UnicodeNormalizer(compose: false, compatibility: false).Normalize(text));
        Assert.Equal(nfkc, new UnicodeNormalizer(compose: true, compatibility: true).Normalize(text));
    }

    [Fact]
    public void Returns_text_that_is_normalized_as_it_is()
    {
        const string Text = "déjà vu 東京 한국어 Ελληνικά";
        Assert.Same(Text, new UnicodeNormalizer(compose: true, compatibility: false).Normalize(Text));
    }

    [Fact]
    public void Cleans_text_as_Bert_does() =>
        Assert.Equal("nai ve 東  i ", new BertNormalizer(true, true, true, true).Normalize("N\0aï\u00A0VE東 İ\n"));

    [Fact]
    public void Replaces_every_match() =>
        Assert.Equal("▁a▁▁b", new ReplaceNormalizer(new Serving.Text.Tokenization.PreTokenizers.LiteralPattern(" "), "▁").Normalize(" a  b"));
}
