using System.Net;
using System.Text.Json;
using Google.Protobuf;
using Serving.Contracts.Internal;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

/// <summary><c>POST /v1/completions</c> before a worker of scripts.</summary>
public sealed class CompletionsTests
{
    private const string Valid = """{"model":"smollm2-135m-instruct","prompt":"Once"}""";
    private static readonly InputMatrix _matrix = new("/v1/completions", Valid);

    [Fact]
    public async Task The_worker_gets_the_prompt_as_it_is_and_every_field()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/completions", """
            {"model":"smollm2-135m-instruct","prompt":"Once <|im_end|>","max_tokens":7,"temperature":0.5,"top_p":0.5,"top_k":3,"seed":4,"stop":["a","b"],"logprobs":2,
             "frequency_penalty":1,"logit_bias":{"5":-1},"min_tokens":1,"guided_choice":["x","y"],"n":2,"best_of":3,"echo":true,"cache_salt":"s","priority":-1}
            """);

        var request = await worker.RequestAsync();
        Assert.Equal(("Once <|im_end|>", "prompt"), (request.Text, request.PromptParam));
        Assert.Equal(
            new SamplingParameters
            {
                Temperature = 0.5f,
                TopP = 0.5f,
                TopK = 3,
                Seed = 4,
                FrequencyPenalty = 1,
                LogitBias = { new TokenBias { Id = 5, Bias = -1 } },
                Logprobs = 2,
            },
            request.Sampling);
        Assert.Equal(new StopConditions { MaxTokens = 7, MinTokens = 1, Sequences = { "a", "b" } }, request.Stop);
        Assert.Equal((2, 3, true, "/s", Priority.Priority), (request.Choices, request.BestOf, request.Echo, request.CacheSalt, request.Priority));
        Assert.Equal(2, request.Constraint.Alternatives.Items.Count);
        Assert.Null(request.Tools);
    }

    [Fact]
    public async Task Sixteen_tokens_are_the_default_and_none_can_be_asked_for()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var silent = await gateway.SendAsync(HttpMethod.Post, "/v1/completions", Valid);
        using var none = await gateway.SendAsync(HttpMethod.Post, "/v1/completions", _matrix.With("max_tokens", "0"));

        Assert.Equal(new StopConditions { MaxTokens = 16 }, (await worker.RequestAsync()).Stop);
        Assert.Equal(new StopConditions { MaxTokens = 0 }, (await worker.RequestAsync()).Stop);
    }

    [Fact]
    public async Task An_answer_is_a_text_completion()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/completions", Valid);

        var body = await response.JsonAsync();
        Assert.Equal(["id", "object", "created", "model", "system_fingerprint", "choices", "usage"], body.EnumerateObject().Select(member => member.Name));
        Assert.StartsWith("cmpl-", body.GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal("text_completion", body.GetProperty("object").GetString());
        Assert.Equal("""[{"index":0,"text":"The capital of France is Paris.","logprobs":null,"finish_reason":"stop"}]""", body.GetProperty("choices").GetRawText());
        Assert.Equal((37, 4, 41), Usage(body));
        Assert.Equal("decode-1", response.Header("x-serving-decode-worker"));
    }

    [Theory]
    [InlineData("""["a","b"]""", "a", "b")]
    [InlineData("""[[7,8],[9]]""", "7 8", "9")]
    [InlineData("""[7,8]""", "7 8")]
    [InlineData("""["a"]""", "a")]
    [InlineData("\"\"", "")]
    public async Task Every_prompt_is_a_request_of_its_own(string prompt, params string[] expected)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/completions", _matrix.With("prompt", prompt));

        var requests = new List<CompletionRequest>();
        for (var i = 0; i < expected.Length; i++)
        {
            requests.Add(await worker.RequestAsync());
        }

        Assert.Equal(
            expected.Order(),
            requests.Select(request => request.PromptCase == CompletionRequest.PromptOneofCase.Text ? request.Text : string.Join(' ', request.Tokens.Ids)).Order());
        Assert.Equal(expected.Length, requests.Select(request => request.PromptParam).Distinct().Count());
        var body = await response.JsonAsync();
        Assert.Equal(Enumerable.Range(0, expected.Length), body.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("index").GetInt32()));
        Assert.Equal((37 * expected.Length, 4 * expected.Length, 41 * expected.Length), Usage(body));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Choices_of_several_prompts_are_counted_prompt_by_prompt(bool stream)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await exchange.StartAsync();
            foreach (var choice in new[] { 1, 0 })
            {
                await exchange.TokenAsync(new TokenChunk { Choice = choice, Text = $"{exchange.Request.Text}{choice}" });
                await exchange.FinishAsync(new CompletionFinished { Choice = choice, Reason = FinishReason.Length, CompletionTokens = 1 });
            }
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(
            HttpMethod.Post, "/v1/completions",
            $$"""{"model":"smollm2-135m-instruct","prompt":["a","b","c"],"n":2,"stream":{{(stream ? "true" : "false")}}}""");

        var choices = (stream ? await ChunksAsync(response) : [await response.JsonAsync()]).SelectMany(part => part.GetProperty("choices").EnumerateArray()).ToArray();
        Assert.Equal(
            ["a0", "a1", "b0", "b1", "c0", "c1"],
            choices.GroupBy(choice => choice.GetProperty("index").GetInt32()).OrderBy(group => group.Key)
                .Select(group => string.Concat(group.Select(choice => choice.GetProperty("text").GetString()))));
        Assert.Equal(6, choices.Count(choice => choice.GetProperty("finish_reason").GetString() == "length"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Where_one_prompt_fails_there_is_no_answer_and_the_others_are_given_up(bool early)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var begun = new TaskCompletionSource();
        var givenUp = new TaskCompletionSource();
        worker.Script = async exchange =>
        {
            if (exchange.Request.Text == "b")
            {
                await begun.Task.WaitAsync(TestTime.LimitTime);
                var error = new RequestError { Fault = Fault.Client, Status = 400, Message = "'prompt[1]' is too long.", Param = exchange.Request.PromptParam };
                await (early ? exchange.RefuseAsync(error) : exchange.StartAsync());
                await (early ? Task.CompletedTask : exchange.ErrorEventAsync(error));
                return;
            }

            begun.TrySetResult();
            await exchange.UntilCancelledAsync();
            givenUp.TrySetResult();
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/completions", _matrix.With("prompt", """["a","b"]"""));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("prompt[1]", (await response.ErrorAsync()).GetProperty("param").GetString());
        await givenUp.Task.WaitAsync(TestTime.LimitTime);
    }

    [Fact]
    public async Task A_prompt_whose_worker_dies_is_tried_elsewhere()
    {
        await using var dying = await StubWorker.StartAsync("decode-1");
        await using var living = await StubWorker.StartAsync("decode-2");
        dying.Script = exchange =>
        {
            exchange.Die();
            return Task.CompletedTask;
        };
        await using var gateway = await TestGateway.BeforeAsync(dying, living);

        using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/completions", _matrix.With("prompt", """["a","b","c"]"""));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(3, (await response.JsonAsync()).GetProperty("choices").GetArrayLength());
        Assert.Equal("decode-2", response.Header("x-serving-decode-worker"));
    }

    [Fact]
    public async Task A_stream_has_the_text_in_pieces_and_the_usage_at_its_end()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(
            HttpMethod.Post, "/v1/completions", _matrix.With("stream", "true,\"stream_options\":{\"include_usage\":true}"));

        var chunks = await ChunksAsync(response);
        Assert.Equal(
            [
                """[{"index":0,"text":"The capital","logprobs":null,"finish_reason":null}]""", """[{"index":0,"text":" of France","logprobs":null,"finish_reason":null}]""",
                """[{"index":0,"text":" is Paris.","logprobs":null,"finish_reason":null}]""", """[{"index":0,"text":"","logprobs":null,"finish_reason":"stop"}]""", "[]",
            ],
            chunks.Select(chunk => chunk.GetProperty("choices").GetRawText()));
        Assert.All(chunks[..^1], chunk => Assert.Equal(JsonValueKind.Null, chunk.GetProperty("usage").ValueKind));
        Assert.Equal((37, 4, 41), Usage(chunks[^1]));
        Assert.Single(chunks.Select(chunk => chunk.GetProperty("id").GetString()).Distinct());
    }

    [Fact]
    public async Task A_stream_that_fails_ends_in_an_error_and_without_done()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await exchange.StartAsync();
            await exchange.TokenAsync("The");
            await exchange.ErrorEventAsync(new RequestError { Fault = Fault.Worker, Status = 500, Message = "broken", Code = "worker_failed" });
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/completions", _matrix.With("stream", "true"), until: HttpCompletionOption.ResponseHeadersRead);

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestTime.Limit()));
        var lines = new List<string>();
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (await reader.ReadLineAsync(TestTime.Limit()) is { } line)
            {
                lines.Add(line);
            }
        });
        Assert.Contains("worker_failed", lines[^2], StringComparison.Ordinal);
        Assert.DoesNotContain("data: [DONE]", lines);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Log_probabilities_are_four_arrays_and_an_echo_begins_with_the_prompts(bool stream)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await exchange.StartAsync(new PromptEcho { Text = "Onc", Logprobs = { Token("On"u8, 0), Token("c"u8, -1, ("c", -1), ("e", -2)) } });
            await exchange.TokenAsync(new TokenChunk { Text = "e", Logprobs = { Token("e"u8, -3, ("x", -0.5f), ("y", -1)) } });
            await exchange.TokenAsync(new TokenChunk { Text = "é", Logprobs = { Token([0xC3], -1), Token([0xA9], float.NegativeInfinity), Token("!"u8, -0.25f) } });
            await exchange.FinishAsync();
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(
            HttpMethod.Post, "/v1/completions", _matrix.With("echo", $"true,\"logprobs\":2{(stream ? ",\"stream\":true" : "")}"));

        var choices = (stream ? await ChunksAsync(response) : [await response.JsonAsync()]).Select(part => part.GetProperty("choices")[0]).ToArray();
        var logprobs = choices.Select(choice => choice.GetProperty("logprobs"));
        string Joined(string member) => string.Join(',', logprobs.SelectMany(part => part.GetProperty(member).EnumerateArray()).Select(item => item.GetRawText()));
        Assert.Equal("Onceé", string.Concat(choices.Select(choice => choice.GetProperty("text").GetString())));
        Assert.Equal("""
            "On","c","e","bytes:\\xc3","bytes:\\xa9","!"
            """, Joined("tokens"));
        Assert.Equal("null,-1,-3,-1,-9999,-0.25", Joined("token_logprobs"));
        Assert.Equal("0,2,3,4,4,5", Joined("text_offset"));
        Assert.Equal("""
            null,{"c":-1,"e":-2},{"x":-0.5,"y":-1,"e":-3},{"bytes:\\xc3":-1},{"bytes:\\xa9":-9999},{"!":-0.25}
            """, Joined("top_logprobs"));
    }

    [Fact]
    public async Task An_echo_of_a_long_prompt_comes_whole()
    {
        const int tokens = 20_000;
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            var echo = new PromptEcho { Text = new string('a', tokens) };
            echo.Logprobs.AddRange(Enumerable.Repeat(Token("a"u8, -1, ("a", -1), ("one of many", -2), ("another one", -3), ("yet another", -4)), tokens));
            await exchange.StartAsync(echo);
            await exchange.FinishAsync();
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/completions", _matrix.With("echo", "true,\"logprobs\":4,\"max_tokens\":0"));

        Assert.Equal(tokens, (await response.JsonAsync()).GetProperty("choices")[0].GetProperty("logprobs").GetProperty("tokens").GetArrayLength());
    }

    [Fact]
    public async Task Bad_input_is_refused_by_name()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        await _matrix.HoldsAsync(
            gateway, worker,
            ("prompt", "prompt", ["null", "7", "{}", "[]", "true", "\"\\ud800\""]),
            ("prompt", "prompt[1]", ["[\"a\",7]", "[\"a\",null]", "[1,-1]", "[1,2147483648]", "[1,1.5]", "[1,\"a\"]", "[[1],[]]", "[[1],2]", "[[1],\"a\"]"]),
            ("prompt", "prompt[0]", ["[{}]", "[null]", "[[]]", "[true]"]),
            ("prompt", "prompt[1][0]", ["[[1],[-1]]", "[[1],[\"a\"]]"]),
            ("prompt", "prompt", [$"[{string.Join(",", Enumerable.Repeat("\"a\"", 129))}]", "[\"a\",\"b\"],\"n\":65"]),
            ("suffix", "suffix", ["\"b\"", "7"]),
            ("max_tokens", "max_tokens", ["-1", "1.5", "2147483648", "99999999999999999999", "\"1\""]),
            ("logprobs", "logprobs", ["-1", "6", "true", "1.5"]),
            ("echo", "echo", ["1", "\"true\""]),
            ("best_of", "best_of", ["-1", "21", "1,\"n\":2", "2,\"stream\":true"]),
            ("n", "n", ["0", "129", "\"1\""]),
            ("stop", "stop", ["[\"a\",\"b\",\"c\",\"d\",\"e\"]", "\"\"", "7"]),
            ("stream_options", "stream_options", ["{}"]),
            ("temperature", "temperature", ["-0.1", "2.1", "\"1\""]),
            ("user", "user", ["7"]),
            ("guided_regex", "guided_regex", ["\"(\""]),
            ("prompt_embeds", "prompt_embeds", ["\"x\""]),
            ("use_beam_search", "use_beam_search", ["true"]));
        await _matrix.AcceptsAsync(
            gateway, ("suffix", "null"), ("suffix", "\"\""), ("best_of", "0"), ("logprobs", "5"), ("echo", "false"), ("prompt", "\"\""), ("presence_penalty", "-2"), ("user", "\"ann\""));
    }

    /// <summary>A value that is wrong everywhere: where it passes, nobody reads the field.</summary>
    [Fact]
    public async Task No_field_of_the_specification_is_dropped_in_silence()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        foreach (var field in new[]
        {
            "best_of", "echo", "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "model", "n", "presence_penalty", "prompt", "seed", "stop", "stream",
            "stream_options", "suffix", "temperature", "top_p", "user",
        })
        {
            using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/completions", _matrix.With(field, "[[\"x\"]]"));
            Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{(int)response.StatusCode} for {field}");
            Assert.StartsWith(field, (await response.ErrorAsync()).GetProperty("param").GetString(), StringComparison.Ordinal);
        }
    }

    private static TokenLogprobs Token(ReadOnlySpan<byte> text, float logprob, params (string Text, float Logprob)[] top)
    {
        var token = new TokenLogprobs { Token = new TokenProbability { Text = ByteString.CopyFrom(text), Logprob = logprob } };
        token.Top.AddRange(top.Select(likely => new TokenProbability { Text = ByteString.CopyFromUtf8(likely.Text), Logprob = likely.Logprob }));
        return token;
    }

    private static (int Prompt, int Completion, int Total) Usage(JsonElement body)
    {
        var usage = body.GetProperty("usage");
        return (usage.GetProperty("prompt_tokens").GetInt32(), usage.GetProperty("completion_tokens").GetInt32(), usage.GetProperty("total_tokens").GetInt32());
    }

    private static async Task<JsonElement[]> ChunksAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var events = (await response.Content.ReadAsStringAsync(TestTime.Limit())).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("data: [DONE]", events[^1]);
        return [.. events[..^1].Select(line => JsonDocument.Parse(line["data: ".Length..]).RootElement)];
    }
}
