using System.Text;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using Serving.Grammars;
using Serving.TestKit;

namespace Serving.Engine.Tests.Scheduling;

/// <summary>Answers that are held to a grammar, over a vocabulary of the 32 letters from A on.</summary>
public sealed class ConstraintTests
{
    /// <summary>The next letter begins a state of its own, in each of which any number of A may come.</summary>
    private const string SlowPattern = "A*([B-D]A*){20}";

    private static readonly TokenVocabulary _letters = new([.. Enumerable.Range(0, 32).Select(id => new VocabularyToken(new[] { (byte)('A' + id) }, new[] { (byte)('A' + id) }))]);

    [Fact]
    public void An_answer_is_a_text_of_its_grammar_and_ends_with_it()
    {
        var harness = new SchedulerHarness();
        var sequence = harness.Add([1, 2, 3], answerTokens: 20, grammar: Task.FromResult(Compile("AB[C-F]{3}(GH|IJ)")));
        harness.RunToEnd();

        Assert.Matches("^AB[C-F]{3}(GH|IJ)$", Text(sequence));
        Assert.Equal(SequenceState.FinishedStop, sequence.State);
    }

    [Fact]
    public void The_prompt_is_computed_while_the_grammar_is_compiled()
    {
        var grammar = new TaskCompletionSource<CompiledGrammar>();
        var harness = new SchedulerHarness();
        var sequence = harness.Add(SchedulerHarness.Prompt(9), answerTokens: 20, grammar: grammar.Task);
        Assert.Equal([(1, 8)], harness.Step());
        Assert.Empty(harness.Step());
        grammar.SetResult(Compile("ABC"));
        harness.RunToEnd();

        Assert.Equal("ABC", Text(sequence));
    }

    [Fact]
    public void A_grammar_that_fails_holds_its_sequence_until_it_is_given_up()
    {
        var harness = new SchedulerHarness();
        var sequence = harness.Add([1], answerTokens: 20, grammar: Task.FromException<CompiledGrammar>(new GrammarException("", "is wrong.")));
        Assert.Empty(harness.Step());
        harness.Scheduler.Cancel(sequence);
        harness.AssertEmpty();
    }

    [Fact]
    public void A_complete_answer_ends_even_where_more_tokens_were_wished_for()
    {
        var harness = new SchedulerHarness();
        var sequence = harness.Add([1], answerTokens: 20, sampling: SamplingParameters.Greedy with { MinTokens = 10 }, grammar: Task.FromResult(Compile("AB")));
        harness.RunToEnd();
        Assert.Equal("AB", Text(sequence));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public void A_stop_token_that_is_all_that_may_come_ends_the_answer(int minTokens)
    {
        var harness = new SchedulerHarness();
        var sequence = harness.Add(
            [1], answerTokens: 20, sampling: SamplingParameters.Greedy with { MinTokens = minTokens }, grammar: Task.FromResult(Compile("[AB]ABC")), endTokens: ['B' - 'A']);
        harness.RunToEnd();
        Assert.Equal(("AAB", SequenceState.FinishedStop), (Text(sequence), sequence.State));
    }

    /// <summary>Guesses, preemption, chunks and neighbours change nothing: an answer is the one that it is alone.</summary>
    [Fact]
    public void Mixed_requests_get_the_texts_that_each_gets_alone()
    {
        string[] patterns = ["(A[BC]{2}D){1,6}", "([D-E]{1,3}F)*G", "(HI|HJ){2,12}K", "[A-Z]{5,30}"];
        var grammars = patterns.Select(pattern => Compile(pattern)).ToArray();
        long accepted = 0, preempted = 0;
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            var harness = new SchedulerHarness(
                blocks: random.Next(16, 40), batchTokensMax: random.Next(5, 24), runningMax: 5, draftsMax: random.Next(0, 12));
            var sequences = new List<(int[] Prompt, int Pattern, Sequence Sequence)>();
            while (sequences.Count < 8 || harness.Scheduler.SequenceCount > 0)
            {
                if (sequences.Count < 8 && random.Next(3) == 0)
                {
                    int[] prompt = [.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => random.Next(0, 12))];
                    var sampling = SamplingParameters.Greedy with
                    {
                        Temperature = random.Next(2),
                        TopP = random.Next(2) == 0 ? 1 : 0.7f,
                        Seed = random.Next(),
                        RepetitionPenalty = random.Next(2) == 0 ? 1 : 1.2f,
                    };
                    var pattern = random.Next(patterns.Length);
                    sequences.Add((prompt, pattern, harness.Add(prompt, answerTokens: random.Next(5, 40), sampling: sampling, grammar: Task.FromResult(grammars[pattern]))));
                }

                if (harness.Scheduler.SequenceCount > 0)
                {
                    harness.Step();
                }
            }

            foreach (var (prompt, pattern, sequence) in sequences)
            {
                var expected = harness.Executor.Expect(prompt, sequence.TokensMax - sequence.PromptLength, sequence.Sampling, new GrammarMatcher(grammars[pattern], default));
                Assert.Equal(expected, sequence.Tokens.ToArray().Skip(sequence.PromptLength));
                Assert.True(sequence.State != SequenceState.FinishedStop || System.Text.RegularExpressions.Regex.IsMatch(Text(sequence), $"^({patterns[pattern]})$"));
            }

            accepted += harness.Scheduler.AcceptedCount;
            preempted += harness.Scheduler.PreemptionCount;
        }

        Assert.InRange(accepted, 200, long.MaxValue);
        Assert.InRange(preempted, 20, long.MaxValue);
    }

    [Fact]
    public void An_answer_whose_masks_take_long_sits_out_and_nobody_waits_for_it()
    {
        var held = new HeldTaskScheduler();
        var harness = new SchedulerHarness { Masks = new MaskQueue(static () => { }, held) };
        var grammar = CompileSlow(SlowPattern);
        var slow = harness.Add(SchedulerHarness.Prompt(9), answerTokens: 12, grammar: Task.FromResult(grammar));
        var quick = harness.Add([4, 5, 6], answerTokens: 30);
        Assert.Equal([(1, 8), (2, 3)], harness.Step().Order());
        for (var step = 2; step <= 10; step++)
        {
            Assert.Equal([(2, 1)], harness.Step());
            Assert.Equal(step, quick.TokenCount - quick.PromptLength);
        }

        held.RunAll();
        Assert.Equal([(1, 1), (2, 1)], harness.Step());
        for (; harness.Scheduler.SequenceCount > 0; held.RunAll())
        {
            harness.Step();
        }

        Assert.Equal(ExpectSlow(harness, slow, SlowPattern), slow.Tokens.ToArray().Skip(slow.PromptLength));
        harness.AssertAnsweredAsAlone(quick);
        harness.AssertEmpty();
    }

    [Fact]
    public void Masks_of_an_answer_that_is_given_up_are_not_computed_and_all_it_holds_is_free()
    {
        var held = new HeldTaskScheduler();
        var harness = new SchedulerHarness { Masks = new MaskQueue(static () => { }, held) };
        var grammar = CompileSlow(SlowPattern);
        var cancelled = harness.Add(SchedulerHarness.Prompt(9), answerTokens: 12, grammar: Task.FromResult(grammar));
        var late = harness.Add(SchedulerHarness.Prompt(9, seed: 1), answerTokens: 12, grammar: Task.FromResult(grammar), deadline: 5);
        harness.Step();
        Assert.Empty(harness.Step());
        Assert.True(harness.Pool.UsedCount > 0);

        harness.Scheduler.Cancel(cancelled);
        harness.Scheduler.ExpireDeadlines(5);

        Assert.Equal((SequenceState.FinishedCancelled, SequenceState.FinishedDeadline), (cancelled.State, late.State));
        harness.AssertEmpty();
        Assert.True(held.RunAll());
        Assert.False(new GrammarMatcher(grammar, default).TryPrepare());
    }

    /// <summary>Masks that come late change no text, whatever else happens meanwhile: guesses, preemption, chunks, forks.</summary>
    [Fact]
    public void Answers_whose_masks_come_late_are_those_that_they_are_alone()
    {
        long accepted = 0, preempted = 0, satOut = 0;
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var held = new HeldTaskScheduler();
            var harness = new SchedulerHarness(
                blocks: random.Next(16, 40), batchTokensMax: random.Next(5, 24), runningMax: 5, draftsMax: random.Next(0, 12))
            {
                Masks = new MaskQueue(static () => { }, held),
            };
            var grammar = Task.FromResult(CompileSlow(SlowPattern));
            var sequences = new List<Sequence>();
            while (sequences.Count < 6 || harness.Scheduler.SequenceCount > 0)
            {
                if (sequences.Count < 6 && random.Next(3) == 0)
                {
                    int[] prompt = [.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => random.Next(0, 4))];
                    var fork = sequences.Count > 0 && random.Next(3) == 0 ? sequences[^1] : null;
                    var sampling = SamplingParameters.Greedy with { Temperature = random.Next(2), Seed = random.Next() };
                    sequences.Add(harness.Add(
                        fork?.Tokens.ToArray()[..fork.PromptLength] ?? prompt, answerTokens: random.Next(5, 40), sampling: sampling, grammar: grammar, forkOf: fork));
                }

                var scheduled = harness.Step().Length;
                satOut += harness.Scheduler.RunningCount > scheduled ? 1 : 0;
                if (random.Next(3) == 0)
                {
                    held.RunAll();
                }
            }

            foreach (var sequence in sequences)
            {
                Assert.Equal(ExpectSlow(harness, sequence, SlowPattern), sequence.Tokens.ToArray().Skip(sequence.PromptLength));
            }

            accepted += harness.Scheduler.AcceptedCount;
            preempted += harness.Scheduler.PreemptionCount;
        }

        Assert.InRange(accepted, 50, long.MaxValue);
        Assert.InRange(preempted, 10, long.MaxValue);
        Assert.InRange(satOut, 500, long.MaxValue);
    }

    private static CompiledGrammar Compile(string pattern) => new(Grammar.Regex(pattern), _letters);

    /// <summary>A grammar over letters and a token of 20,000 of them, so that the mask of a place where that one may come takes long.</summary>
    private static CompiledGrammar CompileSlow(string pattern) => new(Grammar.Regex(pattern), new TokenVocabulary(
    [
        .. Enumerable.Range(0, 31).Select(id => new VocabularyToken(new[] { (byte)('A' + id) }, new[] { (byte)('A' + id) })),
        new(Encoding.ASCII.GetBytes(new string('A', 20_000)), Encoding.ASCII.GetBytes(new string('A', 20_000))),
    ]));

    private static IReadOnlyList<int> ExpectSlow(SchedulerHarness harness, Sequence sequence, string pattern) => harness.Executor.Expect(
        sequence.Tokens.Span[..sequence.PromptLength], sequence.TokensMax - sequence.PromptLength, sequence.Sampling, new GrammarMatcher(CompileSlow(pattern), default));

    private static string Text(Sequence sequence) => string.Concat(sequence.Tokens.ToArray().Skip(sequence.PromptLength).Select(token => (char)('A' + token)));
}
