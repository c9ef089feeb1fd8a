using System.Net;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

/// <summary>Anthropic's <c>POST /v1/messages</c> before a worker of scripts.</summary>
public sealed class MessagesTests
{
    private const string Route = "/v1/messages";
    private const string Valid = """{"model":"smollm2-135m-instruct","max_tokens":50,"messages":[{"role":"user","content":"Hi"}]}""";
    private const string Tools = """[{"name":"add","description":"Adds.","input_schema":{"type":"object","properties":{"a":{"type":"number"}}}},{"type":"custom","name":"now","input_schema":{"type":"object"}}]""";

    private static readonly InputMatrix _matrix = new(Route, Valid) { ErrorOf = ErrorAsync, HasParam = false };

    [Fact]
    public async Task The_worker_gets_a_conversation_as_templates_read_it()
    {
        var request = await AskAsync("""
            {"model":"smollm2-135m-instruct","max_tokens":9,"system":[{"type":"text","text":"Be"},{"type":"text","text":"brief.","cache_control":{"type":"ephemeral"}}],
             "messages":[{"role":"user","content":"1 + 2?"},
              {"role":"assistant","content":[{"type":"thinking","thinking":"Sum.","signature":"x"},{"type":"text","text":"Wait."},{"type":"tool_use","id":"t1","name":"add","input":{"a": 1, "b": "é"}},{"type":"tool_use","id":"t2","name":"now","input":{}}]},
              {"role":"user","content":[{"type":"tool_result","tool_use_id":"t2","content":[{"type":"text","text":"noon"}]},{"type":"tool_result","tool_use_id":"t1","content":"3","is_error":false},{"type":"text","text":"And"},{"type":"text","text":"now?"}]}],
             "temperature":1,"top_k":5,"top_p":0.5,"stop_sequences":["a","b","c","d","e"],"metadata":{"user_id":"u"},"service_tier":"auto","cache_salt":"s"}
            """);

        Assert.Equal(
            """[{"role":"system","content":"Be\nbrief."},{"role":"user","content":"1 + 2?"},{"role":"assistant","content":"Wait.","reasoning_content":"Sum.","tool_calls":[{"id":"t1","type":"function","function":{"name":"add","arguments":"{\"a\":1,\"b\":\"é\"}"}},{"id":"t2","type":"function","function":{"name":"now","arguments":"{}"}}]},{"role":"tool","content":"noon","tool_call_id":"t2"},{"role":"tool","content":"3","tool_call_id":"t1"},{"role":"user","content":"And\nnow?"}]""",
            request.Chat.MessagesJson.ToStringUtf8());
        Assert.Equal(new SamplingParameters { Temperature = 1, TopK = 5, TopP = 0.5f }, request.Sampling);
        Assert.Equal(new StopConditions { MaxTokens = 9, Sequences = { "a", "b", "c", "d", "e" } }, request.Stop);
        Assert.Equal(("messages", "/s"), (request.PromptParam, request.CacheSalt));
        Assert.Null(request.Tools);
    }

    [Fact]
    public async Task A_message_whose_texts_are_empty_is_a_message()
    {
        var request = await AskAsync("""
            {"model":"smollm2-135m-instruct","max_tokens":9,
             "messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"text","text":""}]},{"role":"user","content":[{"type":"text","text":""},{"type":"text","text":""}]}]}
            """);

        Assert.Equal(
            """[{"role":"user","content":"Hi"},{"role":"assistant","content":""},{"role":"user","content":""}]""",
            request.Chat.MessagesJson.ToStringUtf8());
    }

    [Theory]
    [InlineData("""{"type":"auto"}""", "add now", false, false)]
    [InlineData("""{"type":"any","disable_parallel_tool_use":true}""", "add now", true, true)]
    [InlineData("""{"type":"tool","name":"now"}""", "now", true, true)]
    [InlineData("""{"type":"none"}""", null, false, false)]
    [InlineData("null", "add now", false, false)]
    public async Task Tools_may_or_must_be_called_as_the_choice_says(string choice, string? functions, bool isRequired, bool isSingle)
    {
        var request = await AskAsync(_matrix.With("tools", $"{Tools},\"tool_choice\":{choice}"));

        Assert.Equal(functions, request.Tools is { } tools ? string.Join(' ', tools.Functions) : null);
        Assert.Equal((isRequired, isSingle), (request.Tools?.IsRequired ?? false, request.Tools?.SingleCall ?? false));
        Assert.Equal(
            functions is null
                ? ""
                : """[{"type":"function","function":{"name":"add","description":"Adds.","parameters":{"type":"object","properties":{"a":{"type":"number"}}}}},{"type":"function","function":{"name":"now","parameters":{"type":"object"}}}]""",
            request.Chat.ToolsJson.ToStringUtf8());
    }

    [Fact]
    public async Task A_form_is_held_and_thinking_is_a_variable_of_the_template()
    {
        var request = await AskAsync(_matrix.With(
            "output_config", """{"format":{"type":"json_schema","schema":{"type":"object"}},"effort":"low"},"thinking":{"type":"disabled"},"chat_template_kwargs":{"x":1}"""));

        Assert.Equal("""{"type":"object"}""", request.Constraint.JsonSchema);
        Assert.Equal("""{"x":1,"enable_thinking":false}""", request.Chat.TemplateArgumentsJson.ToStringUtf8());
        Assert.Equal(new ReasoningEffort { Value = "low", Param = "output_config.effort" }, request.Chat.ReasoningEffort);
    }

    [Fact]
    public async Task An_answer_is_a_message_of_blocks()
    {
        await using var worker = await CallingWorkerAsync();
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, Route, Valid);

        var body = await response.JsonAsync();
        Assert.StartsWith("msg_", body.GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal(
            """[{"type":"thinking","thinking":"Let me think.","signature":""},{"type":"text","text":"Well.","citations":null},{"type":"tool_use","id":"call_1","name":"add","input":{"a":1}},{"type":"tool_use","id":"call_2","name":"now","input":{"arguments":"{oops"}}]""",
            body.GetProperty("content").GetRawText());
        Assert.Equal(("message", "assistant", "tool_use"), (Text(body, "type"), Text(body, "role"), Text(body, "stop_reason")));
        Assert.Equal(JsonValueKind.Null, body.GetProperty("stop_sequence").ValueKind);
        Assert.Equal(
            """{"input_tokens":32,"cache_creation_input_tokens":0,"cache_read_input_tokens":5,"output_tokens":9,"service_tier":"standard"}""",
            body.GetProperty("usage").GetRawText());
    }

    [Fact]
    public async Task A_stream_is_anthropics_events()
    {
        await using var worker = await CallingWorkerAsync();
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("stream", "true"));

        var events = (await response.Content.ReadAsStringAsync(TestTime.Limit())).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        var parts = events.Select(text => (Name: text.Split('\n')[0]["event: ".Length..], Data: JsonDocument.Parse(text.Split('\n')[1]["data: ".Length..]).RootElement)).ToArray();
        Assert.All(parts, part => Assert.Equal(part.Name, Text(part.Data, "type")));
        Assert.Equal(["message_start", "ping"], parts[..2].Select(part => part.Name));
        Assert.Equal("[]", parts[0].Data.GetProperty("message").GetProperty("content").GetRawText());
        Assert.Equal(0, parts[0].Data.GetProperty("message").GetProperty("usage").GetProperty("output_tokens").GetInt32());
        Assert.Equal(
            [
                """{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}""",
                """{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me "}}""",
                """{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"think."}}""",
                """{"type":"content_block_stop","index":0}""",
                """{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"","citations":null}}""",
                """{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Well."}}""",
                """{"type":"content_block_stop","index":1}""",
                """{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"call_1","name":"add","input":{}}}""",
                """{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}""",
                """{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":" 1}"}}""",
                """{"type":"content_block_stop","index":2}""",
                """{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"call_2","name":"now","input":{}}}""",
                """{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{oops"}}""",
                """{"type":"content_block_stop","index":3}""",
            ],
            parts[2..^2].Select(part => part.Data.GetRawText()));
        Assert.Equal("""{"stop_reason":"tool_use","stop_sequence":null}""", parts[^2].Data.GetProperty("delta").GetRawText());
        Assert.Equal(9, parts[^2].Data.GetProperty("usage").GetProperty("output_tokens").GetInt32());
        Assert.Equal("""{"type":"message_stop"}""", parts[^1].Data.GetRawText());
    }

    [Theory]
    [InlineData(FinishReason.Stop, null, "end_turn")]
    [InlineData(FinishReason.Length, null, "max_tokens")]
    [InlineData(FinishReason.Stop, "END", "stop_sequence")]
    public async Task The_reason_of_the_end_is_anthropics(FinishReason reason, string? sequence, string expected)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await exchange.StartAsync();
            var finished = new CompletionFinished { Reason = reason, CompletionTokens = 1 };
            if (sequence is not null)
            {
                finished.StopSequence = sequence;
            }

            await exchange.FinishAsync(finished);
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, Route, Valid);

        var body = await response.JsonAsync();
        Assert.Equal((expected, sequence), (Text(body, "stop_reason"), body.GetProperty("stop_sequence").GetString()));
    }

    [Fact]
    public async Task Tokens_are_counted_by_a_worker()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Tokenize = _ => new TokenizeResponse { Ids = { 1, 2, 3 } };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(
            HttpMethod.Post, $"{Route}/count_tokens", """{"model":"smollm2-135m-instruct","system":"Be brief.","messages":[{"role":"user","content":"Hi"}]}""");

        Assert.Equal("""{"input_tokens":3}""", (await response.JsonAsync()).GetRawText());
        Assert.Equal(
            """[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]""",
            ((TokenizeRequest)worker.TokensRequest!).Chat.MessagesJson.ToStringUtf8());
    }

    [Fact]
    public async Task Errors_are_anthropics_wherever_they_are_found()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        worker.Script = exchange => exchange.RefuseAsync(new RequestError { Fault = Fault.Client, Status = 429, Message = "Slowly.", RetryAfterS = 3 });
        using var refused = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("stream", "true"));
        Assert.Equal((HttpStatusCode.TooManyRequests, "3"), (refused.StatusCode, refused.Header("Retry-After")));
        Assert.Equal("rate_limit_error", Text(await ErrorAsync(refused), "type"));

        using var method = await gateway.SendAsync(HttpMethod.Get, Route);
        Assert.Equal("invalid_request_error", Text(await ErrorAsync(method), "type"));
        using var url = await gateway.SendAsync(HttpMethod.Post, $"{Route}/batches", Valid);
        Assert.Equal("not_found_error", Text(await ErrorAsync(url), "type"));

        worker.Script = async exchange =>
        {
            await exchange.StartAsync();
            await exchange.ErrorEventAsync(new RequestError { Fault = Fault.Worker, Status = 500, Message = "broken" });
        };
        using var broken = await gateway.SendAsync(HttpMethod.Post, Route, Valid);
        Assert.Equal("api_error", Text(await ErrorAsync(broken), "type"));
        using var stream = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("stream", "true"), until: HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await stream.Content.ReadAsStreamAsync(TestTime.Limit()));
        var lines = new List<string>();
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (await reader.ReadLineAsync(TestTime.Limit()) is { } line)
            {
                lines.Add(line);
            }
        });
        Assert.Equal("event: error", lines[^3]);
        Assert.Contains("api_error", lines[^2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bad_input_is_refused_by_name()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        static string User(string content) => $"[{{\"role\":\"user\",\"content\":{content}}}]";
        const string call = "{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":{}}]}";

        await _matrix.HoldsAsync(
            gateway, worker,
            ("messages", "messages", ["null", "7", "{}", "[]", "\"Hi\""]),
            ("messages", "messages[0]", ["[7]", "[null]"]),
            ("messages", "messages[0].role", ["[{}]", "[{\"role\":\"system\",\"content\":\"x\"}]", "[{\"role\":1,\"content\":\"x\"}]", "[{\"role\":\"assistant\",\"content\":\"x\"}]"]),
            ("messages", "messages[0].content", ["[{\"role\":\"user\"}]", User("7"), User("null"), User("[]"), User("\"\\ud800\"")]),
            ("messages", "messages[0].content[0]", [User("[7]"), User("[null]")]),
            ("messages", "messages[0].content[0].type", [User("[{}]"), User("[{\"type\":\"image\",\"source\":{}}]"), User("[{\"type\":\"document\"}]"), User("[{\"type\":\"tool_use\"}]"), User("[{\"type\":\"server_tool_use\"}]")]),
            ("messages", "messages[0].content[0].text", [User("[{\"type\":\"text\"}]"), User("[{\"type\":\"text\",\"text\":7}]")]),
            ("messages", "messages[0].content[0].tool_use_id", [User("[{\"type\":\"tool_result\",\"tool_use_id\":\"a\"}]")]),
            ("messages", "messages[0].content[0].input", ["[{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":7}]}]", "[{\"role\":\"assistant\",\"content\":[{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":{\"x\":\"\\ud800\"}}]}]"]),
            ("messages", "messages[0].content[0]", [$"[{call},{{\"role\":\"user\",\"content\":\"x\"}}]"]),
            ("messages", "messages[1].content[0].content[0].type", [$"[{call},{{\"role\":\"user\",\"content\":[{{\"type\":\"tool_result\",\"tool_use_id\":\"a\",\"content\":[{{\"type\":\"image\"}}]}}]}}]"]),
            ("system", "system", ["7", "{}"]),
            ("system", "system[0].type", ["[{\"type\":\"image\"}]", "[7]"]),
            ("max_tokens", "max_tokens", ["null", "0", "-1", "1.5", "2147483648", "\"1\""]),
            ("temperature", "temperature", ["1.1", "-0.1", "\"1\""]),
            ("top_p", "top_p", ["0", "1.1"]),
            ("top_k", "top_k", ["1.5", "-2"]),
            ("stop_sequences", "stop_sequences", ["\"a\"", "7"]),
            ("stop_sequences", "stop_sequences[0]", ["[7]", "[\"\"]"]),
            ("stream", "stream", ["1"]),
            ("tools", "tools", ["7", "{}"]),
            ("tools", "tools[0]", ["[7]"]),
            ("tools", "tools[0].type", ["[{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}]", "[{\"type\":7}]"]),
            ("tools", "tools[0].name", ["[{}]", "[{\"name\":\"a b\"}]"]),
            ("tools", "tools[0].input_schema", ["[{\"name\":\"f\",\"input_schema\":7}]", "[{\"name\":\"f\",\"input_schema\":{\"type\":\"string\"}}]"]),
            ("tools", "tools[1].name", ["[{\"name\":\"f\"},{\"name\":\"f\"}]"]),
            ("tool_choice", "tool_choice", ["7", "\"auto\"", "{\"type\":\"any\"}"]),
            ("tool_choice", "tool_choice.type", ["{}", "{\"type\":\"required\"}"]),
            ("tool_choice", "tool_choice.name", ["{\"type\":\"tool\"}", "{\"type\":\"tool\",\"name\":\"g\"}"]),
            ("tool_choice", "tool_choice.disable_parallel_tool_use", ["{\"type\":\"auto\",\"disable_parallel_tool_use\":1}"]),
            ("thinking", "thinking", ["7", "{}", "{\"type\":\"x\"}"]),
            ("thinking", "thinking.budget_tokens", ["{\"type\":\"enabled\",\"budget_tokens\":1024}"]),
            ("metadata", "metadata", ["7"]),
            ("metadata", "metadata.user_id", ["{\"user_id\":7}"]),
            ("service_tier", "service_tier", ["\"priority\"", "7"]),
            ("mcp_servers", "mcp_servers", ["[{}]"]),
            ("container", "container", ["\"x\""]),
            ("output_config", "output_config", ["7"]),
            ("output_config", "output_config.effort", ["{\"effort\":\"some\"}"]),
            ("output_config", "output_config.format", ["{\"format\":7}", "{\"format\":{\"type\":\"json_schema\"}}"]),
            ("output_config", "output_config.format.schema.not", ["{\"format\":{\"type\":\"json_schema\",\"schema\":{\"not\":{}}}}"]));
        await _matrix.AcceptsAsync(
            gateway, ("tools", "[]"), ("system", "null"), ("temperature", "0"), ("mcp_servers", "[]"), ("metadata", "{}"), ("never_heard_of", "[{}]"), ("stop_sequences", "[]"));
    }

    [Fact]
    public async Task The_key_may_come_as_anthropics_clients_send_it()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "sk-first-key-0123456", TestTime.Limit());
        var cluster = new FakeClusterView();
        cluster.Add(Workers.Prefill("prefill-1"), worker.Registration());
        await using var gateway = await TestGateway.StartAsync(cluster, ("Gateway:ApiKeyFile", file));

        using var known = await gateway.SendAsync(HttpMethod.Post, Route, Valid, headers => headers.Add("x-api-key", "sk-first-key-0123456"));
        using var wrong = await gateway.SendAsync(HttpMethod.Post, Route, Valid, headers => headers.Add("x-api-key", "sk-other-key-0123456"));
        using var none = await gateway.SendAsync(HttpMethod.Post, Route, Valid);

        Assert.Equal(HttpStatusCode.OK, known.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.Equal("authentication_error", Text(await ErrorAsync(none), "type"));
        File.Delete(file);
    }

    private static string Text(JsonElement parent, string member) => parent.GetProperty(member).GetString()!;

    private static async Task<JsonElement> ErrorAsync(HttpResponseMessage response)
    {
        var body = await response.JsonAsync();
        Assert.Equal(["type", "error", "request_id"], body.EnumerateObject().Select(member => member.Name));
        Assert.Equal(response.Header("x-request-id"), Text(body, "request_id"));
        return body.GetProperty("error");
    }

    private static Task<CompletionRequest> AskAsync(string body) => TestGateway.AskedAsync(Route, body);

    private static async Task<StubWorker> CallingWorkerAsync()
    {
        var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await exchange.StartAsync();
            await exchange.TokenAsync(new TokenChunk { Reasoning = "Let me " });
            await exchange.TokenAsync(new TokenChunk { Reasoning = "think.", Text = "Well." });
            await exchange.TokenAsync(new TokenChunk { ToolCalls = { new ToolCallDelta { Index = 0, Id = "call_1", Name = "add", Arguments = "{\"a\":" } } });
            await exchange.TokenAsync(new TokenChunk
            {
                ToolCalls = { new ToolCallDelta { Index = 0, Arguments = " 1}" }, new ToolCallDelta { Index = 1, Id = "call_2", Name = "now" } },
            });
            await exchange.TokenAsync(new TokenChunk { ToolCalls = { new ToolCallDelta { Index = 1, Arguments = "{oops" } } });
            await exchange.FinishAsync(new CompletionFinished { Reason = FinishReason.ToolCalls, CompletionTokens = 9, ReasoningTokens = 2 });
        };
        return worker;
    }
}
