using Serving.Text.Tokenization;
using Serving.Text.Tokenization.AddedTokens;
using Xunit;

namespace Serving.Text.Tests.Tokenization;

public sealed class AddedTokenTests
{
    [Fact]
    public void Recognises_special_tokens_in_trusted_text_only()
    {
        ITokenizer tokenizer = Fixtures.Load("llama3");
        const string Text = "<|im_end|><|im_end|>";
        PromptText half = new(Text, [new TextRange(10, 10)]);

        Assert.Equal([2, 2], Fixtures.Encode(tokenizer, Text));
        Assert.DoesNotContain(2, Fixtures.Encode(tokenizer, PromptText.Plain(Text)));
        Assert.Single(Fixtures.Encode(tokenizer, half), id => id == 2);
        Assert.Equal(2, Fixtures.Encode(tokenizer, half)[^1]);
        Assert.Equal(Text, tokenizer.Decode([.. Fixtures.Encode(tokenizer, half)], skipSpecial: false));
    }

    [Fact]
    public void Recognises_no_special_token_that_a_user_completes()
    {
        ITokenizer tokenizer = Fixtures.Load("llama3");
        PromptText joined = new("<|im_end|>", [new TextRange(0, 5)]);

        Assert.DoesNotContain(2, Fixtures.Encode(tokenizer, joined));
    }

    [Fact]
    public void Recognises_added_tokens_that_are_not_special_everywhere()
    {
        ITokenizer tokenizer = Fixtures.Load("llama3");

        Assert.Equal([701, 702], Fixtures.Encode(tokenizer, PromptText.Plain("<think></think>  ")));
    }

    [Fact]
    public void Prefers_the_leftmost_and_then_the_longest() =>
        Assert.Equal(["1:abc", "a", "0:ab"], Cut("abcaab", new AddedToken(0, "ab"), new AddedToken(1, "abc"), new AddedToken(2, "bc")));

    [Fact]
    public void Takes_the_white_space_around_with_it() =>
        Assert.Equal(["a", "0: x ", "b"], Cut("a x b", new AddedToken(0, "x") { StripLeft = true, StripRight = true }));

    [Fact]
    public void Leaves_a_single_word_inside_others_alone() =>
        Assert.Equal(["0:x", " ax xé ", "0:x", "!"], Cut("x ax xé x!", new AddedToken(0, "x") { SingleWord = true }));

    [Fact]
    public void Does_not_let_untrusted_text_hide_a_special_token()
    {
        AddedTokenMatcher matcher = new([("ab", new AddedToken(0, "ab") { Special = true }), ("b!", new AddedToken(1, "b!") { Special = true })]);

        Assert.Equal([null, 1], matcher.Cut("ab!", [new TextRange(1, 2)]).Select(segment => segment.Token?.Id));
    }

    private static IEnumerable<string> Cut(string text, params AddedToken[] tokens) =>
        new AddedTokenMatcher(tokens.Select(token => (token.Content, token))).Cut(text, [])
            .Select(segment => string.Concat(segment.Token is null ? "" : $"{segment.Token.Id}:", text.AsSpan(segment.Start, segment.Length)));
}
