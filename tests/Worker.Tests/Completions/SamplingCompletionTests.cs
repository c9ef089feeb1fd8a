using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.Worker.Tests.HandOff;

namespace Serving.Worker.Tests.Completions;

/// <summary>What a request asks of the sampler, through a worker: the fields, several answers, log probabilities.</summary>
public sealed class SamplingCompletionTests
{
    [Fact]
    public async Task Every_answer_of_a_request_is_the_one_of_its_seed_and_index()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        CompletionRequest request = Drawn();
        request.Choices = 4;

        Answer answer = await Answer.AskAsync(worker, request);
        Answer again = await Answer.AskAsync(worker, request);
        Answer alone = await Answer.AskAsync(worker, Drawn());

        string[] texts = [.. Enumerable.Range(0, 4).Select(answer.TextOf)];
        Assert.Equal(4, texts.Distinct().Count());
        Assert.Equal(texts, Enumerable.Range(0, 4).Select(again.TextOf));
        Assert.Equal(alone.Text, texts[0]);
        Assert.Equal([0, 1, 2, 3], answer.AllFinished.Select(finished => finished.Choice).Order());
        Assert.Equal(1, answer.Events.Count(message => message.Started is not null));
        await worker.WaitUntilNothingIsHeldAsync();
    }

    [Fact]
    public async Task The_prompt_of_several_answers_is_computed_once()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        int blockSize = worker.Executor.KvLayout.BlockSize;
        CompletionRequest request = Drawn();
        request.Tokens.Ids.AddRange(Enumerable.Range(0, 3 * blockSize).Select(i => i % 7));
        request.Choices = 4;

        Answer answer = await Answer.AskAsync(worker, request);

        int prompt = request.Tokens.Ids.Count;
        Assert.Equal((prompt, 0), (answer.Started.PromptTokens, answer.Started.CachedTokens));
        Assert.Equal(3 * (prompt - 1), worker.Engine.Snapshot.CachedPromptTokens);
        Assert.Equal(prompt + 3, worker.Engine.Snapshot.ComputedPromptTokens);
    }

    [Fact]
    public async Task Best_of_gives_the_answers_of_the_highest_mean_log_probability()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        CompletionRequest all = Drawn();
        all.Sampling.Logprobs = 0;
        all.Choices = 5;
        CompletionRequest best = Drawn();
        best.Choices = 2;
        best.BestOf = 5;

        Answer candidates = await Answer.AskAsync(worker, all);
        Answer answer = await Answer.AskAsync(worker, best);

        int[] order = [.. Enumerable.Range(0, 5).OrderByDescending(candidates.MeanLogprobOf)];
        Assert.Equal(order[..2].Select(candidates.TextOf), [answer.TextOf(0), answer.TextOf(1)]);
        Assert.Equal(2, answer.AllFinished.Count());
        Assert.Equal(
            candidates.AllFinished.Sum(finished => finished.CompletionTokens),
            answer.AllFinished.Sum(finished => finished.CompletionTokens + finished.DiscardedTokens));
        Assert.DoesNotContain(answer.Events, message => message.Tokens?.Logprobs.Count > 0);
    }

    [Fact]
    public async Task Log_probabilities_belong_to_the_answers_tokens()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        CompletionRequest request = HandOffTests.Request(prefillAddress: null);
        request.Sampling.Logprobs = 3;

        Answer answer = await Answer.AskAsync(worker, request);

        TokenLogprobs[] logprobs = [.. answer.LogprobsOf(0)];
        Assert.Equal(answer.Tokens, logprobs.Select(token => token.Token.Id));
        Assert.Equal(answer.Text, string.Concat(logprobs.Select(token => token.Token.Text.ToStringUtf8())));

        // Greedy: the token is the likeliest itself.
        Assert.All(logprobs, token => Assert.Equal(token.Token, token.Top[0]));
        Assert.All(logprobs, token => Assert.Equal(3, token.Top.Count));
        Assert.All(logprobs, token => Assert.True(token.Top.Sum(likely => Math.Exp(likely.Logprob)) <= 1.0001));
        Assert.All(logprobs, token => Assert.True(token.Top.Zip(token.Top.Skip(1)).All(pair => pair.First.Logprob >= pair.Second.Logprob)));
    }

    [Fact]
    public async Task An_echo_has_the_prompts_text_and_its_tokens_log_probabilities()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        CompletionRequest request = HandOffTests.Request(prefillAddress: null);
        request.Sampling.Logprobs = 2;
        Answer written = await Answer.AskAsync(worker, request);
        CompletionRequest whole = new(request) { Echo = true };
        whole.Tokens.Ids.AddRange(written.Tokens);

        // A peer that is not there: whose prompt is looked at computes it here.
        whole.Prefill = new PrefillPeer { WorkerId = "nobody", Address = "http://127.0.0.1:9" };
        whole.Stop.MaxTokens = 0;
        Answer answer = await Answer.AskAsync(worker, whole);

        PromptEcho echo = answer.Started.Echo;
        Assert.Equal(whole.Tokens.Ids, echo.Logprobs.Select(token => token.Token.Id));
        Assert.Empty(echo.Logprobs[0].Top);
        Assert.Equal(written.LogprobsOf(0), echo.Logprobs.TakeLast(written.Tokens.Length));
        Assert.EndsWith(written.Text, echo.Text, StringComparison.Ordinal);
        Assert.Equal((0, FinishReason.Length, ""), (answer.Finished.CompletionTokens, answer.Finished.Reason, answer.Text));
        await worker.WaitUntilNothingIsHeldAsync();
    }

    [Fact]
    public async Task Without_log_probabilities_an_echo_is_the_text_alone()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        CompletionRequest request = HandOffTests.Request(prefillAddress: null);
        string text = (await Answer.AskAsync(worker, request)).Text;
        request.Text = text;
        request.Echo = true;

        Answer answer = await Answer.AskAsync(worker, request);

        Assert.Equal((text, 0), (answer.Started.Echo.Text, answer.Started.Echo.Logprobs.Count));
        Assert.NotEmpty(answer.Text);
    }

    [Fact]
    public async Task A_stop_sequence_takes_its_tokens_log_probabilities_with_it_and_is_named()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        string whole = (await Answer.AskAsync(worker, HandOffTests.Request(prefillAddress: null))).Text;
        CompletionRequest request = HandOffTests.Request(prefillAddress: null);
        request.Sampling.Logprobs = 0;
        request.Stop.Sequences.Add(whole[4..6]);

        Answer answer = await Answer.AskAsync(worker, request);

        Assert.Equal(answer.Text.Length, answer.LogprobsOf(0).Count());
        Assert.Equal((FinishReason.Stop, whole[4..6]), (answer.Finished.Reason, answer.Finished.StopSequence));
    }

    [Fact]
    public async Task A_stop_token_ends_the_answer_without_its_text_and_min_tokens_keeps_it_away()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        Answer whole = await Answer.AskAsync(worker, HandOffTests.Request(prefillAddress: null));
        int stop = whole.Tokens[3];
        int place = Array.IndexOf(whole.Tokens, stop);
        CompletionRequest request = HandOffTests.Request(prefillAddress: null);
        request.Stop.TokenIds.Add(stop);
        CompletionRequest longer = request.Clone();
        longer.Stop.MinTokens = place + 1;

        Answer answer = await Answer.AskAsync(worker, request);
        Answer later = await Answer.AskAsync(worker, longer);

        Assert.Equal(whole.Text[..place], answer.Text);
        Assert.Equal((FinishReason.Stop, stop), (answer.Finished.Reason, answer.Finished.StopToken));
        Assert.Equal(whole.Tokens[..place], later.Tokens[..place]);
        Assert.NotEqual(stop, later.Tokens[place]);
    }

    [Fact]
    public async Task A_models_own_end_tokens_end_the_answer_unless_they_are_ignored()
    {
        Answer whole;
        await using (WorkerUnderTest endless = await WorkerUnderTest.StartAsync(WorkerRole.Decode))
        {
            whole = await Answer.AskAsync(endless, HandOffTests.Request(prefillAddress: null));
        }

        int end = whole.Tokens[3];
        int place = Array.IndexOf(whole.Tokens, end);
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode, endTokens: [end]);
        CompletionRequest ignoring = HandOffTests.Request(prefillAddress: null);
        ignoring.Stop.IgnoreEos = true;

        Answer answer = await Answer.AskAsync(worker, HandOffTests.Request(prefillAddress: null));

        Assert.Equal((FinishReason.Stop, whole.Text[..place]), (answer.Finished.Reason, answer.Text));
        Assert.Equal(CompletionFinished.StoppedByOneofCase.None, answer.Finished.StoppedByCase);
        Assert.Equal(whole.Tokens, (await Answer.AskAsync(worker, ignoring)).Tokens);
    }

    [Fact]
    public async Task Penalties_bias_and_filters_reach_the_sampler()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        int[] greedy = (await Answer.AskAsync(worker, HandOffTests.Request(prefillAddress: null))).Tokens;

        // A bias of 100 forces a token; a ban keeps the first one away; a presence penalty stands against coming back.
        Assert.All(await TokensAsync(sampling => sampling.LogitBias.Add(new TokenBias { Id = 2, Bias = 100 })), token => Assert.Equal(2, token));
        Assert.DoesNotContain(greedy[0], await TokensAsync(sampling => sampling.LogitBias.Add(new TokenBias { Id = greedy[0], Bias = -100 })));
        int[] spread = await TokensAsync(sampling => sampling.FrequencyPenalty = 2);
        Assert.True(spread.Distinct().Count() > greedy.Distinct().Count(), $"{string.Join(' ', spread)} after {string.Join(' ', greedy)}");

        // Hot, but cut down to the likeliest.
        Assert.Equal(greedy, await TokensAsync(sampling => (sampling.Temperature, sampling.TopK) = (2, 1)));
        Assert.Equal(greedy, await TokensAsync(sampling => (sampling.Temperature, sampling.MinP) = (2, 1)));

        async Task<int[]> TokensAsync(Action<SamplingParameters> change)
        {
            CompletionRequest request = HandOffTests.Request(prefillAddress: null);
            change(request.Sampling);
            return (await Answer.AskAsync(worker, request)).Tokens;
        }
    }

    [Theory]
    [InlineData("logit_bias")]
    [InlineData("stop_token_ids")]
    [InlineData("min_p")]
    [InlineData("n")]
    [InlineData("best_of")]
    public async Task What_only_the_worker_can_see_is_wrong_is_the_clients_mistake(string param)
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        CompletionRequest request = HandOffTests.Request(prefillAddress: null);
        switch (param)
        {
            case "logit_bias":
                request.Sampling.LogitBias.Add(new TokenBias { Id = worker.Executor.Model.VocabularySize, Bias = 1 });
                break;
            case "stop_token_ids":
                request.Stop.TokenIds.Add(worker.Executor.Model.VocabularySize);
                break;
            case "min_p":
                request.Sampling.MinP = 2;
                break;
            case "n":
                request.Choices = 129;
                break;
            default:
                request.BestOf = 129;
                break;
        }

        Answer answer = await Answer.AskAsync(worker, request);

        Assert.Equal((400, Fault.Client, param), (answer.Status, answer.Error!.Fault, answer.Error.Param));
        Assert.StartsWith($"'{param}' must ", answer.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_fails_takes_the_others_with_it()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        // The first answer's tokens are those of the first 12 steps; the others begin later, and so are at work in the 13th.
        int steps = 0;
        worker.Executor.OnStep = _ =>
        {
            if (++steps > 12)
            {
                throw new InvalidOperationException("broken on purpose");
            }
        };
        CompletionRequest request = Drawn();
        request.Choices = 3;

        Answer answer = await Answer.AskAsync(worker, request);

        Assert.Equal((200, CompletionEvent.EventOneofCase.Error), (answer.Status, answer.Events[^1].EventCase));
        await worker.WaitUntilNothingIsHeldAsync();
    }

    private static CompletionRequest Drawn()
    {
        CompletionRequest request = HandOffTests.Request(prefillAddress: null);
        request.Sampling = new SamplingParameters { Seed = 7, Temperature = 1 };
        return request;
    }
}
