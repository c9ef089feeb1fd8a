using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Serving.Contracts.Internal;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

/// <summary><c>/v1/responses</c> before a worker of scripts.</summary>
public sealed class ResponsesTests
{
    private const string Route = "/v1/responses";
    private const string Valid = """{"model":"smollm2-135m-instruct","input":"Hi"}""";
    private const string Tools = """[{"type":"function","name":"add","description":"Adds.","parameters":{"type":"object","properties":{"a":{"type":"number"}}},"strict":false},{"type":"function","name":"now"}]""";

    private static readonly InputMatrix _matrix = new(Route, Valid);

    [Fact]
    public async Task The_worker_gets_a_conversation_as_templates_read_it()
    {
        var request = await AskAsync("""
            {"model":"smollm2-135m-instruct","instructions":"Be brief.","max_output_tokens":16,"temperature":1.5,"top_p":0.5,"top_logprobs":2,"include":["message.output_text.logprobs"],
             "input":[{"role":"developer","content":"Add."},{"type":"message","role":"user","content":[{"type":"input_text","text":"1 +"},{"type":"input_text","text":"2?"}]},
              {"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"Sum."}]},
              {"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Wait.","annotations":[]}]},
              {"type":"function_call","id":"fc_1","call_id":"c1","name":"add","arguments":"{\"a\": 1}"},{"type":"function_call","call_id":"c2","name":"now","arguments":"{}"},
              {"type":"function_call_output","call_id":"c2","output":"noon"},{"type":"function_call_output","call_id":"c1","output":[{"type":"input_text","text":"3"}]}],
             "text":{"format":{"type":"json_schema","name":"a","schema":{"type":"object"}}},"service_tier":"flex","store":false,"user":"ann","cache_salt":"s","reasoning":{"effort":"high"}}
            """);

        Assert.Equal(
            """[{"role":"system","content":"Be brief."},{"role":"system","content":"Add."},{"role":"user","content":"1 +\n2?"},{"role":"assistant","content":"Wait.","reasoning_content":"Sum.","tool_calls":[{"id":"c1","type":"function","function":{"name":"add","arguments":"{\"a\": 1}"}},{"id":"c2","type":"function","function":{"name":"now","arguments":"{}"}}]},{"role":"tool","content":"noon","tool_call_id":"c2"},{"role":"tool","content":"3","tool_call_id":"c1"}]""",
            request.Chat.MessagesJson.ToStringUtf8());
        Assert.Equal(new SamplingParameters { Temperature = 1.5f, TopP = 0.5f, Logprobs = 2 }, request.Sampling);
        Assert.Equal(new StopConditions { MaxTokens = 16 }, request.Stop);
        Assert.Equal(new Constraint { JsonSchema = """{"type":"object"}""", Param = "text.format.schema" }, request.Constraint);
        Assert.Equal(new ReasoningEffort { Value = "high", Param = "reasoning.effort" }, request.Chat.ReasoningEffort);
        Assert.Equal(("input", "/s", Priority.Flex), (request.PromptParam, request.CacheSalt, request.Priority));
    }

    [Theory]
    [InlineData("\"auto\"", "add now", false)]
    [InlineData("\"required\"", "add now", true)]
    [InlineData("\"none\"", null, false)]
    [InlineData("""{"type":"function","name":"now"}""", "now", true)]
    [InlineData("""{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"add"}]}""", "add", true)]
    public async Task Tools_may_or_must_be_called_as_the_choice_says(string choice, string? functions, bool isRequired)
    {
        var request = await AskAsync(_matrix.With("tools", $"{Tools},\"tool_choice\":{choice},\"parallel_tool_calls\":false"));

        Assert.Equal(functions, request.Tools is { } tools ? string.Join(' ', tools.Functions) : null);
        Assert.Equal((isRequired, functions is not null), (request.Tools?.IsRequired ?? false, request.Tools?.SingleCall ?? false));
    }

    [Fact]
    public async Task An_answer_is_a_response_of_items_and_repeats_its_request()
    {
        await using var worker = await CallingWorkerAsync();
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(
            HttpMethod.Post, Route, _matrix.With("tools", Tools + ",\"metadata\":{\"a\":\"b\"},\"temperature\":0.5,\"store\":false,\"instructions\":\"Be brief.\""));

        var body = (await response.JsonAsync()).GetRawText();
        var node = JsonNode.Parse(body)!.AsObject();
        var id = (string)node["id"]!;
        Assert.StartsWith("resp_", id, StringComparison.Ordinal);
        var part = id["resp_".Length..];
        Assert.Equal(
            $$"""[{"id":"rs_{{part}}000","type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"Let me think."}],"status":"completed"},{"id":"msg_{{part}}001","type":"message","role":"assistant","content":[{"type":"output_text","text":"Well.","annotations":[],"logprobs":[]}],"status":"completed"},{"id":"fc_{{part}}002","type":"function_call","call_id":"call_1","name":"add","arguments":"{\"a\": 1}","status":"completed"},{"id":"fc_{{part}}003","type":"function_call","call_id":"call_2","name":"now","arguments":"{}","status":"completed"}]""",
            JsonDocument.Parse(body).RootElement.GetProperty("output").GetRawText());
        Assert.Equal(
            """{"input_tokens":37,"input_tokens_details":{"cached_tokens":5,"cache_write_tokens":0},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":46}""",
            JsonDocument.Parse(body).RootElement.GetProperty("usage").GetRawText());
        foreach (var taken in new[] { "id", "created_at", "completed_at", "output", "usage" })
        {
            node.Remove(taken);
        }

        Assert.Equal(
            """{"object":"response","status":"completed","error":null,"incomplete_details":null,"model":"smollm2-135m-instruct","background":false,"instructions":"Be brief.","max_output_tokens":null,"max_tool_calls":null,"metadata":{"a":"b"},"parallel_tool_calls":true,"previous_response_id":null,"prompt_cache_key":null,"reasoning":{"effort":null,"summary":null},"safety_identifier":null,"service_tier":"default","store":false,"temperature":0.5,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[{"type":"function","name":"add","description":"Adds.","parameters":{"type":"object","properties":{"a":{"type":"number"}}},"strict":false},{"type":"function","name":"now","strict":null,"parameters":null}],"top_logprobs":0,"top_p":null,"truncation":"disabled"}""",
            node.ToJsonString());
    }

    [Fact]
    public async Task A_stream_is_numbered_events_and_ends_in_the_whole_response()
    {
        await using var worker = await CallingWorkerAsync();
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("stream", "true"));

        var events = await EventsAsync(response);
        Assert.Equal(Enumerable.Range(0, events.Length), events.Select(part => part.GetProperty("sequence_number").GetInt32()));
        Assert.Equal(
            [
                "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added", "response.reasoning_text.delta",
                "response.reasoning_text.delta", "response.reasoning_text.done", "response.content_part.done", "response.output_item.done", "response.output_item.added",
                "response.content_part.added", "response.output_text.delta", "response.output_text.done", "response.content_part.done", "response.output_item.done",
                "response.output_item.added", "response.function_call_arguments.delta", "response.function_call_arguments.delta",
                "response.function_call_arguments.done", "response.output_item.done", "response.output_item.added", "response.function_call_arguments.delta",
                "response.function_call_arguments.done", "response.output_item.done", "response.completed",
            ],
            events.Select(part => Text(part, "type")));
        var whole = events[^1].GetProperty("response");
        Assert.Equal(
            events.Where(part => Text(part, "type") == "response.output_item.done").Select(part => part.GetProperty("item").GetRawText()),
            whole.GetProperty("output").EnumerateArray().Select(item => item.GetRawText()));
        Assert.Equal("in_progress", Text(events[0].GetProperty("response"), "status"));
        Assert.Equal("{\"a\": 1}", string.Concat(events.Where(part => Text(part, "type").EndsWith("arguments.delta", StringComparison.Ordinal)).Take(2).Select(part => Text(part, "delta"))));
        Assert.Equal(("add", "{\"a\": 1}"), (Text(events[18], "name"), Text(events[18], "arguments")));
        Assert.Equal("""{"type":"output_text","text":"","annotations":[],"logprobs":[]}""", events[10].GetProperty("part").GetRawText());

        using var stored = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{Text(whole, "id")}");
        Assert.Equal(whole.GetProperty("output").GetRawText(), (await stored.JsonAsync()).GetProperty("output").GetRawText());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_that_is_cut_off_is_incomplete_and_an_empty_one_is_an_empty_message(bool stream)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await exchange.StartAsync();
            await exchange.FinishAsync(FinishReason.Length);
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("stream", stream ? "true" : "false"));

        var body = stream ? (await EventsAsync(response))[^1].GetProperty("response") : await response.JsonAsync();
        Assert.Equal(("incomplete", "max_output_tokens"), (Text(body, "status"), Text(body.GetProperty("incomplete_details"), "reason")));
        Assert.Equal(("incomplete", ""), (Text(body.GetProperty("output")[0], "status"), Text(body.GetProperty("output")[0].GetProperty("content")[0], "text")));
        Assert.Equal(JsonValueKind.Null, body.GetProperty("completed_at").ValueKind);
    }

    [Fact]
    public async Task Log_probabilities_are_in_the_text_and_its_pieces()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await exchange.StartAsync();
            await exchange.TokenAsync(new TokenChunk
            {
                Text = "Hi",
                Logprobs = { new TokenLogprobs { Token = new TokenProbability { Text = ByteString.CopyFromUtf8("Hi"), Logprob = -0.5f } } },
            });
            await exchange.FinishAsync();
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("include", "[\"message.output_text.logprobs\"],\"stream\":true"));

        const string expected = """[{"token":"Hi","logprob":-0.5,"bytes":[72,105],"top_logprobs":[]}]""";
        var events = await EventsAsync(response);
        Assert.Equal(0, (await worker.RequestAsync()).Sampling.Logprobs);
        Assert.Equal(expected, events.Single(part => Text(part, "type") == "response.output_text.delta").GetProperty("logprobs").GetRawText());
        Assert.Equal(expected, events[^1].GetProperty("response").GetProperty("output")[0].GetProperty("content")[0].GetProperty("logprobs").GetRawText());
    }

    [Fact]
    public async Task A_stream_that_fails_says_so_last()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await exchange.StartAsync();
            await exchange.TokenAsync("The");
            await exchange.ErrorEventAsync(new RequestError { Fault = Fault.Worker, Status = 500, Message = "broken" });
        };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With("stream", "true"), until: HttpCompletionOption.ResponseHeadersRead);

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestTime.Limit()));
        var lines = new List<string>();
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (await reader.ReadLineAsync(TestTime.Limit()) is { } line)
            {
                lines.Add(line);
            }
        });
        Assert.Equal("event: response.failed", lines[^3]);
        var failed = JsonDocument.Parse(lines[^2]["data: ".Length..]).RootElement.GetProperty("response");
        Assert.Equal(("failed", """{"code":"server_error","message":"broken"}"""), (Text(failed, "status"), failed.GetProperty("error").GetRawText()));
    }

    [Fact]
    public async Task Tokens_are_counted_by_a_worker()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        worker.Tokenize = _ => new TokenizeResponse { Ids = { 1, 2, 3 } };
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, $"{Route}/input_tokens", """{"model":"smollm2-135m-instruct","instructions":"Be brief.","input":"Hi"}""");

        Assert.Equal("""{"object":"response.input_tokens","input_tokens":3}""", (await response.JsonAsync()).GetRawText());
        Assert.Equal(
            """[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]""",
            ((TokenizeRequest)worker.TokensRequest!).Chat.MessagesJson.ToStringUtf8());
    }

    [Fact]
    public async Task Bad_input_is_refused_by_name()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        static string User(string content) => $"[{{\"role\":\"user\",\"content\":{content}}}]";
        const string call = "{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"f\",\"arguments\":\"{}\"}";

        await _matrix.HoldsAsync(
            gateway, worker,
            ("input", "input", ["null", "7", "{}", "[]", "\"\\ud800\""]),
            ("input", "input[0]", ["[7]", "[null]"]),
            ("input", "input[0].type", ["[{\"type\":\"item_reference\",\"id\":\"x\"}]", "[{\"type\":\"web_search_call\"}]", "[{\"type\":7}]"]),
            ("input", "input[0].role", ["[{}]", "[{\"role\":\"tool\",\"content\":\"x\"}]", "[{\"role\":7,\"content\":\"x\"}]"]),
            ("input", "input[0].content", ["[{\"role\":\"user\"}]", User("7"), User("null"), User("\"\\ud800\"")]),
            ("input", "input[0].content[0].type", [User("[{}]"), User("[7]"), User("[{\"type\":\"input_image\",\"image_url\":\"x\"}]"), User("[{\"type\":\"input_file\"}]")]),
            ("input", "input[0].content[0].text", [User("[{\"type\":\"input_text\"}]")]),
            ("input", "input[0].call_id", ["[{\"type\":\"function_call\"}]", "[{\"type\":\"function_call_output\",\"call_id\":\"a\",\"output\":\"x\"}]", $"[{call}]", $"[{call},{{\"role\":\"user\",\"content\":\"x\"}}]"]),
            ("input", "input[1].call_id", [$"[{call},{call}]"]),
            ("input", "input[0].arguments", ["[{\"type\":\"function_call\",\"call_id\":\"a\",\"name\":\"f\",\"arguments\":{}}]"]),
            ("input", "input[0].encrypted_content", ["[{\"type\":\"reasoning\",\"id\":\"r\",\"summary\":[],\"encrypted_content\":\"x\"}]"]),
            ("instructions", "instructions", ["7", "[]"]),
            ("previous_response_id", "previous_response_id", ["7", "\"resp_nothing\"", "\"../x\""]),
            ("max_output_tokens", "max_output_tokens", ["0", "15", "-1", "1.5", "2147483648", "\"16\""]),
            ("temperature", "temperature", ["2.1", "\"1\""]),
            ("top_p", "top_p", ["1.1", "0"]),
            ("top_logprobs", "top_logprobs", ["21", "-1", "\"1\""]),
            ("include", "include", ["7", "\"x\""]),
            ("include", "include[1]", ["[\"message.output_text.logprobs\",\"x\"]", "[\"message.output_text.logprobs\",7]"]),
            ("tools", "tools", ["7", "{}"]),
            ("tools", "tools[0]", ["[7]"]),
            ("tools", "tools[0].type", ["[{}]", "[{\"type\":\"web_search\"}]", "[{\"type\":\"custom\",\"name\":\"x\"}]", "[{\"type\":\"mcp\"}]"]),
            ("tools", "tools[0].name", ["[{\"type\":\"function\"}]", "[{\"type\":\"function\",\"name\":\"a b\"}]"]),
            ("tools", "tools[0].parameters", ["[{\"type\":\"function\",\"name\":\"f\",\"parameters\":7}]"]),
            ("tools", "tools", ["[{\"type\":\"function\",\"name\":\"f\",\"x\":\"\\ud800\"}]"]),
            ("tool_choice", "tool_choice", ["7", "\"any\"", "\"required\""]),
            ("tool_choice", "tool_choice.type", ["{}", "{\"type\":\"web_search_preview\"}", "{\"type\":\"mcp\",\"server_label\":\"x\"}"]),
            ("tool_choice", "tool_choice.name", ["{\"type\":\"function\"}", "{\"type\":\"function\",\"name\":\"g\"}"]),
            ("tool_choice", "tool_choice.mode", ["{\"type\":\"allowed_tools\"}"]),
            ("tool_choice", "tool_choice.tools[0].name", ["{\"type\":\"allowed_tools\",\"mode\":\"auto\",\"tools\":[{\"type\":\"function\",\"name\":\"g\"}]}"]),
            ("parallel_tool_calls", "parallel_tool_calls", ["1"]),
            ("max_tool_calls", "max_tool_calls", ["0", "\"1\""]),
            ("text", "text", ["7", "\"x\""]),
            ("text", "text.verbosity", ["{\"verbosity\":\"low\"}"]),
            ("text", "text.format", ["{\"format\":7}"]),
            ("text", "text.format.type", ["{\"format\":{}}", "{\"format\":{\"type\":\"grammar\"}}"]),
            ("text", "text.format.name", ["{\"format\":{\"type\":\"json_schema\",\"schema\":{}}}"]),
            ("text", "text.format.schema", ["{\"format\":{\"type\":\"json_schema\",\"name\":\"a\"}}"]),
            ("text", "text.format.schema.not", ["{\"format\":{\"type\":\"json_schema\",\"name\":\"a\",\"schema\":{\"not\":{}}}}"]),
            ("reasoning", "reasoning", ["7"]),
            ("reasoning", "reasoning.effort", ["{\"effort\":\"some\"}", "{\"effort\":7}"]),
            ("reasoning", "reasoning.summary", ["{\"summary\":\"auto\"}"]),
            ("truncation", "truncation", ["\"auto\"", "7"]),
            ("service_tier", "service_tier", ["\"scale\"", "7"]),
            ("store", "store", ["1"]),
            ("stream", "stream", ["1"]),
            ("stream_options", "stream_options", ["{}"]),
            ("stream_options", "stream_options.include_obfuscation", ["{\"include_obfuscation\":true},\"stream\":true"]),
            ("background", "background", ["1", "true,\"stream\":true"]),
            ("conversation", "conversation", ["\"conv_1\""]),
            ("context_management", "context_management", ["[{\"type\":\"compaction\"}]"]),
            ("moderation", "moderation", ["{}"]),
            ("prompt", "prompt", ["{\"id\":\"x\"}"]),
            ("prompt_cache_retention", "prompt_cache_retention", ["\"24h\""]),
            ("prompt_cache_options", "prompt_cache_options", ["{\"mode\":\"explicit\"}"]),
            ("metadata", "metadata", ["[]"]),
            ("metadata", "metadata.a", ["{\"a\":1}"]),
            ("user", "user", ["7"]),
            ("safety_identifier", "safety_identifier", ["7"]));
        await _matrix.AcceptsAsync(
            gateway, ("tools", "[]"), ("reasoning", "{\"effort\":null,\"summary\":null}"), ("text", "{\"format\":{\"type\":\"text\"},\"verbosity\":\"medium\"}"), ("truncation", "\"disabled\""),
            ("include", "[\"reasoning.encrypted_content\"]"), ("max_tool_calls", "3"), ("never_heard_of", "[{}]"), ("previous_response_id", "null"), ("conversation", "null"),
            ("prompt_cache_key", "\"k\""), ("user", "\"ann\""), ("tool_choice", "\"auto\""));
    }

    /// <summary>A value that is wrong everywhere: where it passes, nobody reads the field.</summary>
    [Fact]
    public async Task No_field_of_the_specification_is_dropped_in_silence()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        foreach (var field in new[]
        {
            "background", "context_management", "conversation", "include", "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "model", "moderation",
            "parallel_tool_calls", "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning", "safety_identifier",
            "service_tier", "store", "stream", "stream_options", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
        })
        {
            using var response = await gateway.SendAsync(HttpMethod.Post, Route, _matrix.With(field, "[[7]]"));
            Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{(int)response.StatusCode} for {field}");
            Assert.StartsWith(field, (await response.ErrorAsync()).GetProperty("param").GetString(), StringComparison.Ordinal);
        }
    }

    private static string Text(JsonElement parent, string member) => parent.GetProperty(member).GetString()!;

    private static async Task<JsonElement[]> EventsAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync(TestTime.Limit());
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        var events = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(part => part.Split('\n')).ToArray();
        Assert.All(events, part => Assert.Equal(part[0]["event: ".Length..], Text(JsonDocument.Parse(part[1]["data: ".Length..]).RootElement, "type")));
        return [.. events.Select(part => JsonDocument.Parse(part[1]["data: ".Length..]).RootElement)];
    }

    private static Task<CompletionRequest> AskAsync(string body) => TestGateway.AskedAsync(Route, body);

    internal static async Task<StubWorker> CallingWorkerAsync()
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
                ToolCalls = { new ToolCallDelta { Index = 0, Arguments = " 1}" }, new ToolCallDelta { Index = 1, Id = "call_2", Name = "now", Arguments = "{}" } },
            });
            await exchange.FinishAsync(new CompletionFinished { Reason = FinishReason.ToolCalls, CompletionTokens = 9, ReasoningTokens = 2 });
        };
        return worker;
    }
}
