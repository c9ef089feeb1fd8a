using Serving.Grammars.Tests.Support;

namespace Serving.Grammars.Tests;

public sealed class RegexTests
{
    [Theory]
    [InlineData("abc", "abc", true)]
    [InlineData("abc", "abcd", false)]
    [InlineData("^a|b$", "b", true)]
    [InlineData("(ab)*c+d?", "ababccd", true)]
    [InlineData("(ab)*c+d?", "abad", false)]
    [InlineData("a{2,4}", "aaaaa", false)]
    [InlineData("a{2,4}", "aaa", true)]
    [InlineData("(?:x|yz){3}", "xyzx", true)]
    [InlineData("(?<year>\\d{4})-\\d\\d", "2024-07", true)]
    [InlineData("[^a-z]", "ß", true)]
    [InlineData("[^a-z]", "q", false)]
    [InlineData("[\\]\\-x]+", "]-x", true)]
    [InlineData(".", "\n", false)]
    [InlineData(".", "😀", true)]
    [InlineData("\\u{1F600}|\\uD83D\\uDE01|\\x41", "😁", true)]
    [InlineData("\\p{Lu}\\p{L}*", "Élan", true)]
    [InlineData("\\P{L}", "é", false)]
    [InlineData("\\s\\S\\w\\W", " a_-", true)]
    [InlineData("a??b*?", "bb", true)]
    [InlineData("", "", true)]
    [InlineData("(a{50}){40}", "", false)]
    public void A_text_is_in_the_language_or_not(string pattern, string text, bool isIn) => Assert.Equal(isIn, Walk.Accepts(Grammar.Regex(pattern), text));

    [Theory]
    [InlineData("^[a-z]+(\\.[a-z0-9]{1,3}){0,2}$")]
    [InlineData("[ab]*a[ab]{6}")]
    [InlineData("(é|[α-ω]|\\d)*z")]
    [InlineData("([+-]?\\d{1,3}(,\\d{3}){0,3})|x{2,}y")]
    public void Every_short_text_has_the_answer_of_the_platforms_engine(string pattern)
    {
        var expected = new System.Text.RegularExpressions.Regex($"^(?:{pattern})$");
        var grammar = Grammar.Regex(pattern);
        var random = new Random(5);
        const string letters = "ab.z0,9é+αxy-";
        for (var i = 0; i < 400; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(10)).Select(_ => letters[random.Next(letters.Length)]));
            Assert.True(expected.IsMatch(text) == Walk.Accepts(grammar, text), text);
        }
    }

    [Theory]
    [InlineData("(", "without its ')'")]
    [InlineData("a)", "without its '('")]
    [InlineData("[a", "without its ']'")]
    [InlineData("*a", "nothing before")]
    [InlineData("a**", "after a quantifier")]
    [InlineData("(?=a)", "look-around")]
    [InlineData("(?<!a)b", "look-around")]
    [InlineData("(a)\\1", "\\1")]
    [InlineData("\\bword", "\\b")]
    [InlineData("a{3,1}", "wrong order")]
    [InlineData("a{1000000000}", "repetition")]
    [InlineData("x^y", "middle")]
    [InlineData("\\p{Klingon}", "category")]
    [InlineData("\\uD83D", "surrogate")]
    public void What_cannot_be_read_says_why(string pattern, string reason) =>
        Assert.Contains(reason, Assert.Throws<GrammarException>(() => Grammar.Regex(pattern)).Message);
}
