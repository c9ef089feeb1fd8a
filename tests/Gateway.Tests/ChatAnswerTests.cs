using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Serving.Contracts.Internal;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

public sealed partial class ChatAnswerTests
{
    [Theory]
    [InlineData("\"service_tier\":\"auto\"", Priority.Default, "default")]
    [InlineData("\"service_tier\":\"flex\"", Priority.Flex, "flex")]
    [InlineData("\"service_tier\":\"fast\"", Priority.Priority, "priority")]
    [InlineData("\"priority\":-3", Priority.Priority, null)]
    [InlineData("\"priority\":0", Priority.Default, null)]
    [InlineData("\"priority\":7", Priority.Flex, null)]
    public async Task The_worker_hears_who_goes_first_and_the_answer_names_the_tier(string field, Priority priority, string? tier)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat(field));

        Assert.Equal(priority, (await worker.RequestAsync()).Priority);
        Assert.Equal(tier, (await response.JsonAsync()).TryGetProperty("service_tier", out var named) ? named.GetString() : null);
    }

    [Fact]
    public async Task Template_arguments_reach_the_worker_as_they_are()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat("\"chat_template_kwargs\":{\"enable_thinking\":false}"));

        Assert.Equal("{\"enable_thinking\":false}", (await worker.RequestAsync()).Chat.TemplateArgumentsJson.ToStringUtf8());
    }

    [Theory]
    [InlineData("\"reasoning_effort\":\"xhigh\"", "xhigh")]
    [InlineData("\"reasoning_effort\":null", null)]
    public async Task The_effort_of_reasoning_reaches_the_worker(string field, string? effort)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat(field));

        Assert.Equal(effort is null ? null : new ReasoningEffort { Value = effort, Param = "reasoning_effort" }, (await worker.RequestAsync()).Chat.ReasoningEffort);
    }

    [Fact]
    public async Task An_answer_is_a_chat_completion_to_the_byte()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.ToString());
        var body = await response.Content.ReadAsStringAsync(TestTime.Limit());
        Assert.Equal(
            """{"id":"chatcmpl-*","object":"chat.completion","created":0,"model":"smollm2-135m-instruct","system_fingerprint":"fp_kv0123456789","choices":[{"index":0,"message":{"role":"assistant","content":"The capital of France is Paris.","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":37,"completion_tokens":4,"total_tokens":41,"prompt_tokens_details":{"cached_tokens":5,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}""",
            Fixed(body));
    }

    [Fact]
    public async Task A_stream_is_server_sent_events_to_the_byte()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat("\"stream\":true"));

        Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        var body = await response.Content.ReadAsStringAsync(TestTime.Limit());
        const string head = """data: {"id":"chatcmpl-*","object":"chat.completion.chunk","created":0,"model":"smollm2-135m-instruct","system_fingerprint":"fp_kv0123456789","choices":[{"index":0,"delta":""";
        const string tail = ""","logprobs":null,"finish_reason":null}]}""";
        Assert.Equal(
            $$"""
            {{head}}{"role":"assistant","content":""}{{tail}}

            {{head}}{"content":"The capital"}{{tail}}

            {{head}}{"content":" of France"}{{tail}}

            {{head}}{"content":" is Paris."}{{tail}}

            {{head}}{},"logprobs":null,"finish_reason":"stop"}]}

            data: [DONE]


            """,
            Fixed(body));
    }

    [Fact]
    public async Task A_stream_that_includes_usage_has_it_null_in_every_chunk_and_whole_in_a_last_one_without_choices()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat("\"stream\":true,\"stream_options\":{\"include_usage\":true}"));

        var events = (await response.Content.ReadAsStringAsync(TestTime.Limit())).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.All(events[..^2], chunk => Assert.EndsWith("}],\"usage\":null}", chunk, StringComparison.Ordinal));
        Assert.EndsWith(
            ""","choices":[],"usage":{"prompt_tokens":37,"completion_tokens":4,"total_tokens":41,"prompt_tokens_details":{"cached_tokens":5,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}""",
            events[^2],
            StringComparison.Ordinal);
        Assert.Equal("data: [DONE]", events[^1]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Text_arrives_as_it_was_written(bool stream)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = exchange => exchange.AnswerAsync("\"<b>\"\n", "", "Grüße \\ ", "👍", "\u2028\u0001");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        using var client = new OpenAiClient(gateway);

        Assert.Equal("\"<b>\"\nGrüße \\ 👍\u2028\u0001", stream ? await client.StreamAsync() : await client.ChatAsync());
    }

    [Fact]
    public async Task An_answer_cut_off_by_its_limit_says_length()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await exchange.StartAsync();
            await exchange.FinishAsync(FinishReason.Length);
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat());

        Assert.Equal("length", (await response.JsonAsync()).GetProperty("choices")[0].GetProperty("finish_reason").GetString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Headers_tell_the_way_the_request_took(bool stream)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(
            HttpMethod.Post, "/v1/chat/completions", Bodies.Chat(stream ? "\"stream\":true" : ""), headers => headers.Add("x-request-id", "my-id_1.2:3"));

        Assert.Equal("my-id_1.2:3", response.Header(ServingHeaders.RequestId));
        Assert.Equal("prefill-1", response.Header(ServingHeaders.PrefillWorker));
        Assert.Equal("decode-1", response.Header(ServingHeaders.DecodeWorker));
        Assert.Equal("829440", response.Header(ServingHeaders.KvBytes));
        Assert.Equal("1", response.Header(ServingHeaders.DecodePromptTokens));
        Assert.Equal("my-id_1.2:3", (await worker.RequestAsync()).RequestId);
    }

    [Fact]
    public async Task The_worker_gets_what_was_asked_and_nothing_of_the_clients_own_headers()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        const string body = """
            {"model":"smollm2-135m-instruct","messages":[
              {"role":"developer","content":"Be brief.","extra":1},
              {"content":[{"type":"text","text":"Hi"},{"type":"text","text":"there"}],"role":"user","name":"Ann"},
              {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},
              {"role":"tool","tool_call_id":"c1","content":"42"}],
             "temperature":0,"top_p":0.5,"seed":-9223372036854775808,"max_completion_tokens":9,"stop":["a","b"],"unheard_of":{"x":1}}
            """;

        using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/chat/completions", body, headers => headers.Add("Authorization", "Bearer the-clients-own"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var request = await worker.RequestAsync();
        Assert.Equal($"Bearer {TestGateway.Secret.HttpToken}", worker.Authorization);
        Assert.Equal(
            """[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi\nthere","name":"Ann"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","content":"42","tool_call_id":"c1"}]""",
            request.Chat.MessagesJson.ToStringUtf8());
        Assert.True(request.Chat.AddGenerationPrompt);
        Assert.Equal((0f, 0.5f, long.MinValue), (request.Sampling.Temperature, request.Sampling.TopP, request.Sampling.Seed));
        Assert.Equal(9, request.Stop.MaxTokens);
        Assert.Equal(["a", "b"], request.Stop.Sequences);
        Assert.Equal("prefill-1", request.Prefill.WorkerId);
    }

    [Fact]
    public async Task Unset_fields_take_openais_defaults()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat(
            "\"temperature\":null,\"top_p\":null,\"seed\":null,\"max_tokens\":null,\"stop\":null,\"stream\":null,\"stream_options\":null"));

        var request = await worker.RequestAsync();
        Assert.False(request.Sampling.HasTemperature || request.Sampling.HasTopP || request.Sampling.HasSeed || request.Stop.HasMaxTokens);
        Assert.Empty(request.Stop.Sequences);
    }

    [Fact]
    public async Task Official_client_chats_and_streams()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        using var client = new OpenAiClient(gateway);

        Assert.Equal("The capital of France is Paris.", await client.ChatAsync());
        Assert.Equal("The capital of France is Paris.", await client.StreamAsync());
        Assert.Equal(4, client.Usage!.OutputTokenCount);
    }

    [Fact]
    public async Task Every_token_goes_out_before_the_next_is_made()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        using var seen = new SemaphoreSlim(0);
        worker.Script = async exchange =>
        {
            await exchange.StartAsync();
            for (var token = 0; token < 5; token++)
            {
                await exchange.TokenAsync($"<{token}>");
                await seen.WaitAsync(TestTime.Limit());
            }

            await exchange.FinishAsync();
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat("\"stream\":true"), HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestTime.Limit()), Encoding.UTF8);

        var tokens = 0;
        while (await reader.ReadLineAsync(TestTime.Limit()) is { } line)
        {
            if (line.Contains($"<{tokens}>", StringComparison.Ordinal))
            {
                tokens++;
                seen.Release();
            }
        }

        Assert.Equal(5, tokens);
    }

    /// <summary>The body with what differs from run to run made the same.</summary>
    private static string Fixed(string body) => CreatedNumber().Replace(RandomId().Replace(body, "chatcmpl-*"), "\"created\":0");

    [GeneratedRegex("chatcmpl-[0-9a-f]{32}")]
    private static partial Regex RandomId();

    [GeneratedRegex("\"created\":[0-9]{10}")]
    private static partial Regex CreatedNumber();
}
