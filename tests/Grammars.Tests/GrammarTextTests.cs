using Serving.Grammars.Tests.Support;

namespace Serving.Grammars.Tests;

public sealed class GrammarTextTests
{
    private const string Arithmetic = """
        # sums and products
        root   ::= sum
        sum    ::= term (("+" | "-") term)*
        term   ::= factor (
                     ("*" | "/") factor
                   )*
        factor ::= number | "(" sum ")"
        number ::= "-"? [0-9]{1,4} ("." [0-9]+)?
        """;

    private const string Lark = """
        // sums and products
        ?start: sum
        ?sum: term (("+" | "-") term)*
        ?term: factor (("*" | "/") factor)*
        factor: NUMBER -> number
              | "(" sum ")"
        NUMBER: /-?[0-9]{1,4}/ ["." DIGIT+]
        %import common.DIGIT
        """;

    [Theory]
    [InlineData("1+2*(3-4)", true)]
    [InlineData("((((-12.5))))", true)]
    [InlineData("1+", false)]
    [InlineData("(1", false)]
    [InlineData("12345", false)]
    public void A_text_is_in_a_recursive_grammar_or_not(string text, bool isIn)
    {
        Assert.Equal(isIn, Walk.Accepts(Grammar.FromText(Arithmetic), text));
        Assert.Equal(isIn, Walk.Accepts(Grammar.FromText(Lark), text));
    }

    [Theory]
    [InlineData("root ::= [^\\n\"]+ \"\\x41\\u00e9\\n\"", "né.Aé\n", true)]
    [InlineData("root ::= \"a\"{2} \"b\"{0,1} \"c\"{1,}", "aacc", true)]
    [InlineData("root ::= a | b\na ::= \"x\"\nb-2 ::= \"\"\nb ::= \"y\" b-2", "y", true)]
    [InlineData("root ::= . . .", "aé😀", true)]
    [InlineData("start: \"hello\"i \" \" \"a\"..\"f\"~2", "HeLLo af", true)]
    [InlineData("start: WORD (\",\" WORD)*\n%import common.WORD", "ab,cd", true)]
    [InlineData("start: A\nA: /a\\/b/ | \"c\"", "a/b", true)]
    public void Forms_of_both_are_read(string grammar, string text, bool isIn) => Assert.Equal(isIn, Walk.Accepts(Grammar.FromText(grammar), text));

    [Theory]
    [InlineData("root ::= root \"a\" | \"a\"", "recurses on the left")]
    [InlineData("root ::= e root\ne ::= \"\" | \"x\"", "recurses on the left")]
    [InlineData("root ::= \"a\" root", "has no end")]
    [InlineData("root ::= missing", "'missing'")]
    [InlineData("first ::= \"a\"", "no rule 'root'")]
    [InlineData("root ::= \"a", "end of a literal")]
    [InlineData("root ::= [z-a]", "ends before it begins")]
    [InlineData("root ::= \"a\"{99999999}", "repetition")]
    [InlineData("root ::= \"a\"\nroot ::= \"b\"", "twice")]
    [InlineData("start: \"a\"\n%ignore \" \"", "%ignore")]
    [InlineData("start: /a/i", "flags")]
    [InlineData("start: X\n%import common.NOTHING", "common.NOTHING")]
    [InlineData("", "no rule")]
    public void What_cannot_be_held_says_why(string grammar, string reason) =>
        Assert.Contains(reason, Assert.Throws<GrammarException>(() => Grammar.FromText(grammar).Check()).Message);

    [Fact]
    public void Deep_nesting_is_refused() => Assert.Throws<GrammarException>(() => Grammar.FromText($"root ::= {new string('(', 5_000)}\"a\"{new string(')', 5_000)}"));

    [Fact]
    public void A_chain_of_thousands_of_empty_rules_is_decided_quickly()
    {
        var rules = string.Concat(Enumerable.Range(0, 3_000).Select(i => $"r{i} ::= {(i == 0 ? "\"\"" : $"r{i - 1}")}\n"));
        Assert.True(Walk.Accepts(Grammar.FromText($"root ::= r2999 \"a\"\n{rules}"), "a"));
    }
}
