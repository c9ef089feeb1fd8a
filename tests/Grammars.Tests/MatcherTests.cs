using System.Text;
using System.Text.Json;
using Serving.Grammars.Tests.Support;

namespace Serving.Grammars.Tests;

public sealed class MatcherTests
{
    private const int End = 256 + 10;
    private static readonly TokenVocabulary _vocabulary = Vocabularies.OfBytesAnd("{\"", "\":", "\": ", "ab", "abc", "\"}", "\",\"", "true", "}}", "1");

    /// <summary>The mask of every place of a random answer, against trying every token.</summary>
    [Theory]
    [InlineData("""{"type":"object","properties":{"abc":{"type":"string","maxLength":3},"x":{"type":"object","properties":{"ab":{"type":"boolean"}}}}}""")]
    [InlineData("""{"type":"array","items":{"type":"string","minLength":1,"maxLength":2},"minItems":1,"maxItems":3}""")]
    [InlineData("""{"anyOf":[{"type":"integer"},{"$ref":"#/$defs/n"}],"$defs":{"n":{"type":"object","properties":{"n":{"anyOf":[{"$ref":"#/$defs/n"},{"const":1}]}},"required":["n"]}}}""")]
    public void A_mask_has_the_tokens_that_can_be_taken(string schema)
    {
        var compiled = Compile(schema);
        var random = new Random(3);
        for (var answer = 0; answer < 30; answer++)
        {
            var matcher = new GrammarMatcher(compiled, new[] { End });
            while (!matcher.MustEnd && matcher.Count < 60)
            {
                var allowed = Walk.Allowed(matcher);
                Assert.Equal(Enumerable.Range(0, _vocabulary.Size).Where(token => matcher.CountAllowed([token]) == 1), allowed);
                allowed.Remove(End);
                Assert.True(matcher.TryAdvance(allowed[random.Next(allowed.Count)]));
            }
        }
    }

    /// <summary>Repetitions that are counted: where few items are left, where some are needed still, and where what follows begins like an item.</summary>
    [Theory]
    [InlineData("[ab]{60,70}(abc|b)")]
    [InlineData("[a-c]{0,66}(,\"|abc){2}")]
    [InlineData("(x[ab]{66,68}y?){2}")]
    [InlineData("\"[^\"]{64,80}\"}}")]
    [InlineData("(a|[^a]){3,4}bc")] // Every text is one of items, so that none leaves the repetition but by what may follow it.
    public void A_mask_of_a_counted_repetition_has_the_tokens_that_can_be_taken(string pattern)
    {
        var compiled = new CompiledGrammar(Grammar.Regex(pattern), _vocabulary);
        var random = new Random(5);
        for (var answer = 0; answer < 5; answer++)
        {
            var matcher = new GrammarMatcher(compiled, new[] { End });
            while (!matcher.MustEnd)
            {
                var allowed = Walk.Allowed(matcher);
                Assert.Equal(Enumerable.Range(0, _vocabulary.Size).Where(token => matcher.CountAllowed([token]) == 1), allowed);
                allowed.Remove(End);
                Assert.True(matcher.TryAdvance(allowed[random.Next(allowed.Count)]));
            }
        }
    }

    [Fact]
    public void A_mask_that_takes_long_is_there_once_another_thread_has_computed_it()
    {
        var text = new byte[20_000];
        Array.Fill(text, (byte)'a');
        var vocabulary = new TokenVocabulary([Vocabularies.Text("a"u8.ToArray()), Vocabularies.Text("b"u8.ToArray()), Vocabularies.Text(text)]);
        var compiled = new CompiledGrammar(Grammar.Regex("ba*b"), vocabulary);
        var matcher = new GrammarMatcher(compiled, ReadOnlyMemory<int>.Empty);
        Assert.True(matcher.TryPrepare());
        Assert.True(matcher.TryAdvance(1));
        Assert.False(matcher.TryPrepare());

        var pending = matcher.MasksToCome();
        Assert.False(pending.ComputeNext());
        Assert.True(pending.ComputeNext());

        Assert.True(matcher.TryPrepare());
        Assert.Equal([0, 1, 2], Walk.Allowed(matcher));
    }

    [Fact]
    public void The_masks_of_a_real_vocabulary_are_those_of_trying_every_token()
    {
        var compiled = new CompiledGrammar(
            Grammar.JsonSchema(Parse("""{"type":"object","properties":{"name":{"type":"string","minLength":2,"maxLength":30},"when":{"type":"string","format":"date"}},"required":["name","when"]}""")),
            Vocabularies.SmolLm2);
        var matcher = new GrammarMatcher(compiled, ReadOnlyMemory<int>.Empty);
        var random = new Random(1);
        while (!matcher.MustEnd)
        {
            var allowed = Walk.Allowed(matcher);
            Assert.Equal(Enumerable.Range(0, Vocabularies.SmolLm2.Size).Where(token => matcher.CountAllowed([token]) == 1), allowed);
            Assert.True(matcher.TryAdvance(allowed[random.Next(allowed.Count)]));
        }
    }

    [Fact]
    public void Tokens_taken_back_are_as_if_they_had_not_come()
    {
        var matcher = new GrammarMatcher(Compile("""{"type":"object","additionalProperties":{"type":"boolean"}}"""), new[] { End });
        var masks = new List<List<int>>();
        int[] tokens = [256, 'q', 257, 263, ',', '"'];
        foreach (var token in tokens)
        {
            masks.Add(Walk.Allowed(matcher));
            Assert.True(matcher.TryAdvance(token));
        }

        Assert.False(matcher.TryAdvance('\n'));
        Assert.Equal(tokens.Length, matcher.Count);
        for (var left = tokens.Length - 1; left >= 0; left--)
        {
            matcher.Rollback(1);
            Assert.Equal(masks[left], Walk.Allowed(matcher));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => matcher.Rollback(1));
    }

    [Fact]
    public void An_end_comes_only_where_the_text_is_complete()
    {
        var matcher = new GrammarMatcher(Compile("""{"type":"integer","minimum":1,"maximum":19}"""), new[] { End });
        Assert.DoesNotContain(End, Walk.Allowed(matcher));
        Assert.False(matcher.TryAdvance(End));
        Assert.True(matcher.TryAdvance('1'));
        Assert.Contains(End, Walk.Allowed(matcher));
        Assert.True(matcher.TryAdvance('9'));
        Assert.Equal([End], Walk.Allowed(matcher));
        Assert.True(matcher.MustEnd);
        Assert.True(matcher.TryAdvance(End));
    }

    [Fact]
    public void Guesses_are_cut_where_the_grammar_forbids_them()
    {
        var matcher = new GrammarMatcher(Compile("""{"enum":["abc","abd"]}"""), new[] { End });
        Assert.Equal(3, matcher.CountAllowed(['"', 259, 'd', 'd', '"']));
        Assert.Equal(5, matcher.CountAllowed(['"', 259, 'd', '"', End]));
        Assert.Equal(0, matcher.Count);
    }

    /// <summary>A client may name tokens with a text that the grammar cannot do without.</summary>
    [Fact]
    public void An_end_token_with_a_text_is_allowed_where_nothing_but_its_text_may_come()
    {
        var matcher = new GrammarMatcher(new CompiledGrammar(Grammar.Regex("a[,;],b?"), _vocabulary), new[] { End, ',' });
        var mask = new ulong[matcher.MaskWords];
        Assert.True(matcher.TryAdvance('a'));
        Assert.Equal([';'], Walk.Allowed(matcher));
        Assert.True(matcher.Fill(mask));

        Assert.True(matcher.TryAdvance(';'));
        Assert.Equal([','], Walk.Allowed(matcher));
        Assert.False(matcher.Fill(mask));
        Assert.True(matcher.TryAdvance(','));

        Assert.Equal([',', 'b', End], Walk.Allowed(matcher));
        Assert.True(matcher.Fill(mask));
    }

    [Fact]
    public void The_first_token_of_a_text_is_matched_without_the_space_that_it_loses()
    {
        var vocabulary = new TokenVocabulary([.. Enumerable.Range(0, 256).Select(value => Vocabularies.Text([(byte)value])), new(" yes"u8.ToArray(), "yes"u8.ToArray()), new(" "u8.ToArray(), default)]);
        var matcher = new GrammarMatcher(new CompiledGrammar(Grammar.Regex("yes( yes)*"), vocabulary), ReadOnlyMemory<int>.Empty);
        Assert.Equal(['y', 256], Walk.Allowed(matcher));
        Assert.True(matcher.TryAdvance(256));
        Assert.Equal([' ', 256, 257], Walk.Allowed(matcher));
        Assert.True(matcher.TryAdvance(256));
        Assert.True(matcher.IsComplete);
    }

    [Fact]
    public void A_character_that_the_vocabulary_cannot_write_leaves_the_other_ways()
    {
        var vocabulary = new TokenVocabulary([.. "abc\"".Select(character => Vocabularies.Text([(byte)character]))]);
        var compiled = new CompiledGrammar(Grammar.OneOf(["ab", "ax"]), vocabulary);
        var matcher = new GrammarMatcher(compiled, ReadOnlyMemory<int>.Empty);
        Assert.True(matcher.TryAdvance(0));
        Assert.Equal([1], Walk.Allowed(matcher));
        Assert.Throws<GrammarException>(() => new CompiledGrammar(Grammar.Literal("x"), vocabulary));
    }

    [Fact]
    public void In_the_steady_state_nothing_is_allocated()
    {
        var compiled = new CompiledGrammar(Grammar.JsonSchema(SchemaFile.All[100]), Vocabularies.SmolLm2);
        var matcher = new GrammarMatcher(compiled, ReadOnlyMemory<int>.Empty);
        var mask = new ulong[matcher.MaskWords];
        var random = new Random(2);
        var tokens = new List<int>();
        while (!matcher.MustEnd && tokens.Count < GrammarMatcher.RollbackMax)
        {
            var allowed = Walk.Allowed(matcher);
            tokens.Add(allowed[random.Next(allowed.Count)]);
            Assert.True(matcher.TryAdvance(tokens[^1]));
        }

        matcher.Rollback(tokens.Count);
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var token in tokens)
        {
            matcher.Fill(mask);
            matcher.TryAdvance(token);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Many_threads_share_a_grammar()
    {
        var compiled = new CompiledGrammar(Grammar.JsonObject(), Vocabularies.SmolLm2);
        var end = Vocabularies.Tokenizer.EndOfTextId!.Value;
        var alone = Enumerable.Range(0, 8).Select(seed => Walk.Random(new CompiledGrammar(Grammar.JsonObject(), Vocabularies.SmolLm2), end, new Random(seed))).ToArray();
        var together = new string?[alone.Length];
        Parallel.For(0, alone.Length, seed => together[seed] = Walk.Random(compiled, end, new Random(seed)));
        Assert.Equal(alone, together);
    }

    private static CompiledGrammar Compile(string schema) => new(Grammar.JsonSchema(Parse(schema)), _vocabulary);

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;
}
