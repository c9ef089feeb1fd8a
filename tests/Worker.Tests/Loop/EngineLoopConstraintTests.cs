using System.Text;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using Serving.Grammars;
using Serving.Worker.Loop;
using static Serving.Worker.Tests.Loop.LoopHarness;

namespace Serving.Worker.Tests.Loop;

/// <summary>Answers that are held to a grammar, over the letters from A on.</summary>
public sealed class EngineLoopConstraintTests
{
    private const string Pattern = "A*([B-D]A*){6}";

    [Fact]
    public async Task An_engine_that_has_nothing_but_an_answer_without_masks_wakes_when_they_are_there()
    {
        await using var harness = new LoopHarness();
        var vocabulary = Letters(longest: 20_000);

        var handle = harness.Loop.Submit(Constrained(Grammar.Regex(Pattern), vocabulary, maxTokens: 20)).Handle!;
        var (tokens, end) = await ReadToEndAsync(handle);

        var matcher = new GrammarMatcher(new CompiledGrammar(Grammar.Regex(Pattern), vocabulary), default);
        Assert.Equal(harness.Executor.Expect(Prompt(5), 20, handle.Sequence.Sampling, matcher), tokens);
        Assert.NotEqual(SequenceState.FinishedFailed, end.State);
        harness.AssertNothingHeld();
    }

    /// <summary>After n letters A it is at 2^n places: more than any matcher follows.</summary>
    [Fact]
    public async Task A_grammar_that_is_too_ambiguous_to_be_followed_ends_its_own_answer_only()
    {
        await using var harness = new LoopHarness();
        var ambiguous = Grammar.FromText("root ::= \"A\" x | \"A\" y | \"D\"\nx ::= root \"B\"\ny ::= root \"C\"");
        var likely = SamplingParameters.Greedy with { LogitBias = new[] { new TokenBias(0, 100) } };

        var other = harness.Submit(Prompt(5, seed: 1), maxTokens: 40);
        var handle = harness.Loop.Submit(Constrained(ambiguous, Letters(longest: 1), maxTokens: 40) with { Sampling = likely }).Handle!;
        var (tokens, end) = await ReadToEndAsync(handle);

        Assert.Equal(SequenceState.FinishedFailed, end.State);
        Assert.Contains("ambiguous", end.Error, StringComparison.Ordinal);
        Assert.InRange(tokens.Length, 5, 20);
        Assert.Equal(40, (await ReadToEndAsync(other)).Tokens.Length);
        harness.AssertNothingHeld();
    }

    private static SequenceRequest Constrained(Grammar grammar, TokenVocabulary vocabulary, int maxTokens) =>
        Request(Prompt(5), maxTokens: maxTokens) with { Grammar = Task.FromResult(new CompiledGrammar(grammar, vocabulary)) };

    /// <summary>One letter a token, but for the last, which is many of the first: where it may come, a mask takes long.</summary>
    private static TokenVocabulary Letters(int longest) => new(
    [
        .. Enumerable.Range(0, 32).Select(id => Encoding.ASCII.GetBytes(new string((char)('A' + (id % 31)), id == 31 ? longest : 1))).Select(text => new VocabularyToken(text, text)),
    ]);
}
