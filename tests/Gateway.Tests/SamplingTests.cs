using System.Text.Json;
using Google.Protobuf;
using Serving.Contracts.Internal;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

/// <summary>How sampling is asked for, and how what comes of it is rendered.</summary>
public sealed class SamplingTests
{
    [Fact]
    public async Task The_worker_gets_every_sampling_field()
    {
        const string fields =
            """
            "temperature":0.5,"top_k":40,"top_p":0.9,"min_p":0.05,"typical_p":0.8,"repetition_penalty":1.1,"frequency_penalty":-0.5,"presence_penalty":2,
            "logit_bias":{"5":-100,"70000":1.5},"seed":3,"logprobs":true,"top_logprobs":4,"ignore_eos":true,"min_tokens":2,"stop_token_ids":[7,8],
            "stop":"x","best_of":3,"n":2,"max_tokens":9
            """;

        var request = await AskAsync(fields);

        Assert.Equal(
            new SamplingParameters
            {
                Temperature = 0.5f,
                TopK = 40,
                TopP = 0.9f,
                MinP = 0.05f,
                TypicalP = 0.8f,
                RepetitionPenalty = 1.1f,
                FrequencyPenalty = -0.5f,
                PresencePenalty = 2,
                LogitBias = { new TokenBias { Id = 5, Bias = -100 }, new TokenBias { Id = 70_000, Bias = 1.5f } },
                Seed = 3,
                Logprobs = 4,
            },
            request.Sampling);
        Assert.Equal(new StopConditions { MaxTokens = 9, Sequences = { "x" }, IgnoreEos = true, MinTokens = 2, TokenIds = { 7, 8 } }, request.Stop);
        Assert.Equal((2, 3), (request.Choices, request.BestOf));
    }

    [Fact]
    public async Task What_a_client_leaves_out_stays_unset()
    {
        var request = await AskAsync("\"logprobs\":false,\"top_p\":null");

        Assert.Equal(new SamplingParameters(), request.Sampling);
        Assert.Equal(new StopConditions(), request.Stop);
        Assert.Equal((1, 1), (request.Choices, request.BestOf));
    }

    [Fact]
    public async Task Top_k_of_minus_one_is_off() => Assert.Equal(new SamplingParameters { TopK = 0 }, (await AskAsync("\"top_k\":-1")).Sampling);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Log_probabilities_are_openais_also_of_a_token_that_is_part_of_a_character(bool stream)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await exchange.StartAsync();
            await exchange.TokenAsync(new TokenChunk { Text = "Hi", Logprobs = { Logprobs("Hi"u8, -0.5f, ("Hi", -0.5f), ("Ho", -2)) } });
            await exchange.TokenAsync(new TokenChunk { Text = "" });
            await exchange.TokenAsync(new TokenChunk { Text = "é", Logprobs = { Logprobs([0xC3], -1), Logprobs([0xA9], float.NegativeInfinity) } });
            await exchange.FinishAsync();
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat("\"logprobs\":true,\"top_logprobs\":2" + (stream ? ",\"stream\":true" : "")));

        var choices = stream ? (await ChunksAsync(response)).Select(Choice) : [Choice(await response.JsonAsync())];
        var tokens = choices.Select(choice => choice.GetProperty("logprobs")).Where(logprobs => logprobs.ValueKind == JsonValueKind.Object)
            .SelectMany(logprobs => logprobs.GetProperty("content").EnumerateArray()).Select(token => token.GetRawText());
        Assert.Equal(
            [
                """{"token":"Hi","logprob":-0.5,"bytes":[72,105],"top_logprobs":[{"token":"Hi","logprob":-0.5,"bytes":[72,105]},{"token":"Ho","logprob":-2,"bytes":[72,111]}]}""",
                """{"token":"\uFFFD","logprob":-1,"bytes":[195],"top_logprobs":[]}""".Replace("\\uFFFD", "\uFFFD", StringComparison.Ordinal),
                """{"token":"\uFFFD","logprob":-9999,"bytes":[169],"top_logprobs":[]}""".Replace("\\uFFFD", "\uFFFD", StringComparison.Ordinal),
            ],
            tokens);
    }

    [Fact]
    public async Task Several_choices_are_one_answer_in_order_of_their_index_with_the_prompt_counted_once()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = TwoChoicesAsync;
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat("\"n\":2"));

        var answer = await response.JsonAsync();
        Assert.Equal(
            """[{"index":0,"message":{"role":"assistant","content":"Paris","refusal":null},"logprobs":null,"finish_reason":"stop","stop_reason":"."},{"index":1,"message":{"role":"assistant","content":"Lyon is","refusal":null},"logprobs":null,"finish_reason":"stop","stop_reason":7}]""",
            answer.GetProperty("choices").GetRawText());
        Assert.Equal((37, 14, 51), Usage(answer));
    }

    [Fact]
    public async Task Several_choices_are_one_stream_that_ends_with_the_last()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = TwoChoicesAsync;
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat("\"n\":2,\"stream\":true,\"stream_options\":{\"include_usage\":true}"));

        var chunks = await ChunksAsync(response);
        Assert.Equal(
            [
                """[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]""",
                """[{"index":1,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]""",
                """[{"index":1,"delta":{"content":"Lyon"},"logprobs":null,"finish_reason":null}]""",
                """[{"index":0,"delta":{"content":"Paris"},"logprobs":null,"finish_reason":null}]""",
                """[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop","stop_reason":"."}]""",
                """[{"index":1,"delta":{"content":" is"},"logprobs":null,"finish_reason":null}]""",
                """[{"index":1,"delta":{},"logprobs":null,"finish_reason":"stop","stop_reason":7}]""",
                "[]",
            ],
            chunks.Select(chunk => chunk.GetProperty("choices").GetRawText()));
        Assert.Equal((37, 14, 51), Usage(chunks[^1]));
    }

    [Fact]
    public async Task A_choice_that_nobody_asked_for_is_a_worker_that_is_lost()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = TwoChoicesAsync;
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat());

        Assert.Equal(502, (int)response.StatusCode);
    }

    private static async Task TwoChoicesAsync(StubExchange exchange)
    {
        await exchange.StartAsync();
        await exchange.TokenAsync(new TokenChunk { Choice = 1, Text = "Lyon" });
        await exchange.TokenAsync(new TokenChunk { Choice = 0, Text = "Paris" });
        await exchange.FinishAsync(new CompletionFinished { Choice = 0, Reason = FinishReason.Stop, CompletionTokens = 3, StopSequence = "." });
        await exchange.TokenAsync(new TokenChunk { Choice = 1, Text = " is" });
        await exchange.FinishAsync(
            new CompletionFinished { Choice = 1, Reason = FinishReason.Stop, CompletionTokens = 5, StopToken = 7, DiscardedTokens = 6 });
    }

    private static async Task<CompletionRequest> AskAsync(string fields)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await exchange.StartAsync();
            for (var choice = 0; choice < exchange.Request.Choices; choice++)
            {
                await exchange.FinishAsync(new CompletionFinished { Choice = choice, Reason = FinishReason.Stop });
            }
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);
        using var response = await gateway.ChatAsync(Bodies.Chat(fields));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(TestTime.Limit()));
        return await worker.RequestAsync();
    }

    private static TokenLogprobs Logprobs(ReadOnlySpan<byte> text, float logprob, params (string Text, float Logprob)[] top)
    {
        var logprobs = new TokenLogprobs { Token = new TokenProbability { Text = ByteString.CopyFrom(text), Logprob = logprob } };
        logprobs.Top.AddRange(top.Select(token => new TokenProbability { Text = ByteString.CopyFromUtf8(token.Text), Logprob = token.Logprob }));
        return logprobs;
    }

    private static async Task<JsonElement[]> ChunksAsync(HttpResponseMessage response)
    {
        var events = (await response.Content.ReadAsStringAsync(TestTime.Limit())).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("data: [DONE]", events[^1]);
        return [.. events[..^1].Select(chunk => JsonSerializer.Deserialize<JsonElement>(chunk["data: ".Length..]))];
    }

    private static JsonElement Choice(JsonElement answer) => answer.GetProperty("choices")[0];

    private static (int Prompt, int Completion, int Total) Usage(JsonElement answer)
    {
        var usage = answer.GetProperty("usage");
        return (usage.GetProperty("prompt_tokens").GetInt32(), usage.GetProperty("completion_tokens").GetInt32(), usage.GetProperty("total_tokens").GetInt32());
    }
}
