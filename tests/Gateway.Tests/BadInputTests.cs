using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Serving.Gateway.Tests.Support;
using Serving.TestKit;

namespace Serving.Gateway.Tests;

public sealed class BadInputTests
{
    private const string Model = "\"model\":\"smollm2-135m-instruct\"";

    /// <summary>Field at fault → bodies that have the fault.</summary>
    private static readonly (string? Param, string[] Bodies)[] _faults =
    [
        (null, ["{\"model\":\"a\",\"messages\":[{\"role\":\"user\",\"role\":\"user\",\"content\":\"Hi\"}]}"]),
        ("messages", [$"{{{Model}}}", $"{{{Model},\"messages\":[]}}", $"{{{Model},\"messages\":null}}", $"{{{Model},\"messages\":\"Hi\"}}", $"{{{Model},\"messages\":{{}}}}"]),
        ("messages[0]", [With("[7]"), With("[null]"), With("[\"Hi\"]")]),
        ("messages[0].role", [With("[{}]"), With("[{\"content\":\"Hi\"}]"), With("[{\"role\":\"robot\",\"content\":\"Hi\"}]"), With("[{\"role\":1,\"content\":\"Hi\"}]")]),
        ("messages[0].content", [With("[{\"role\":\"user\"}]"), With("[{\"role\":\"user\",\"content\":null}]"), With("[{\"role\":\"user\",\"content\":7}]"), With("[{\"role\":\"user\",\"content\":{}}]"), With("[{\"role\":\"user\",\"content\":[]}]"), With("[{\"role\":\"assistant\",\"content\":null}]"), With("[{\"role\":\"user\",\"content\":\"\\udc00\"}]")]),
        ("messages[1].content", [With("[{\"role\":\"system\",\"content\":\"x\"},{\"role\":\"user\"}]")]),
        ("messages[0].content[1].type", [With("[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:,\"}}]}]"), With("[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\"},{}]}]")]),
        ("messages[0].content[0].type", [With("[{\"role\":\"user\",\"content\":[{\"type\":\"\\ud800ext\",\"text\":\"x\"}]}]")]),
        ("messages[0].content[0].text", [With("[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]"), With("[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":1}]}]")]),
        ("messages[0].name", [With("[{\"role\":\"user\",\"content\":\"x\",\"name\":1}]")]),
        ("messages[0].tool_call_id", [With("[{\"role\":\"tool\",\"content\":\"x\"}]")]),
        ("messages[0].tool_calls", [With("[{\"role\":\"assistant\",\"tool_calls\":[]}]"), With("[{\"role\":\"assistant\",\"tool_calls\":7}]")]),
        ("messages[0].tool_calls[0]", [With("[{\"role\":\"assistant\",\"tool_calls\":[{}]}]")]),
        ("messages[0].tool_calls[0].function.arguments", [With("[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\"}}]}]")]),
        ("temperature", Values("temperature", "-0.1", "2.1", "1e999", "\"1\"", "true", "[]")),
        ("top_p", Values("top_p", "0", "1.1", "-1", "\"1\"")),
        ("seed", Values("seed", "1.5", "9223372036854775808", "\"1\"")),
        ("max_tokens", Values("max_tokens", "0", "-1", "1.5", "2147483648", "99999999999999999999", "\"1\"", "1,\"max_completion_tokens\":1")),
        ("max_completion_tokens", Values("max_completion_tokens", "-5", "true")),
        ("stop", Values("stop", "[\"a\",\"b\",\"c\",\"d\",\"e\"]", "\"\"", "7", "{}")),
        ("stop[1]", Values("stop", "[\"a\",\"\"]", "[\"a\",null]", "[\"a\",1]")),
        ("stream", Values("stream", "\"true\"", "1")),
        ("stream_options", Values("stream_options", "{}", "{\"include_usage\":true}", "7,\"stream\":true")),
        ("stream_options.include_usage", Values("stream_options", "{\"include_usage\":1},\"stream\":true")),
        ("n", Values("n", "0", "129", "1.5", "\"1\"")),
        ("best_of", Values("best_of", "0", "21", "1.5", "2,\"n\":3", "3,\"stream\":true")),
        ("tools", Values("tools", "7", "{}", Tools([.. Enumerable.Range(0, 129).Select(i => $"{{\"name\":\"f{i}\"}}")]))),
        ("tools[0]", Values("tools", "[7]", "[null]")),
        ("tools[0].type", Values("tools", "[{}]", "[{\"type\":\"custom\",\"custom\":{\"name\":\"f\"}}]", "[{\"type\":1}]", "[{\"type\":\"\\ud800unction\"}]")),
        ("tools[0].function", Values("tools", "[{\"type\":\"function\"}]", "[{\"type\":\"function\",\"function\":\"f\"}]")),
        ("tools[0].function.name", Values("tools", Tools("{}"), Tools("{\"name\":null}"), Tools("{\"name\":\"\"}"), Tools("{\"name\":\"a b\"}"), Tools("{\"name\":\"\u00e9\"}"), Tools($"{{\"name\":\"{new string('f', 65)}\"}}"))),
        ("tools[1].function.name", Values("tools", Tools("{\"name\":\"f\"}", "{\"name\":\"f\"}"))),
        ("tools[0].function.description", Values("tools", Tools("{\"name\":\"f\",\"description\":7}"))),
        ("tools[0].function.parameters", Values("tools", Tools("{\"name\":\"f\",\"parameters\":[]}"), Tools("{\"name\":\"f\",\"parameters\":{\"type\":\"string\"}}"), Tools("{\"name\":\"f\",\"parameters\":true}"), Tools("{\"name\":\"f\",\"parameters\":{\"title\":\"\\ud800\"}}"), Tools("{\"name\":\"f\",\"strict\":true,\"parameters\":{\"enum\":[\"\\ud800\"]}}"))),
        ("tools[0].function.strict", Values("tools", Tools("{\"name\":\"f\",\"strict\":1}"))),
        ("tools[0].function.parameters.properties.a.$ref", Values("tools", Tools("{\"name\":\"f\",\"strict\":true,\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"http://x.example/\"}}}}"))),
        ("tool_choice", Values("tool_choice", "\"required\"", "\"any\"", "7", "[]")),
        ("tool_choice.type", Values("tool_choice", "{}", "{\"type\":\"custom\"}", "{\"type\":7}", "{\"type\":\"\\ud800unction\"}")),
        ("tool_choice.function.name", Values("tool_choice", "{\"type\":\"function\"}", "{\"type\":\"function\",\"function\":{}}", $"{{\"type\":\"function\",\"function\":{{\"name\":\"g\"}}}},\"tools\":{Tools("{\"name\":\"f\"}")}")),
        ("tool_choice.allowed_tools", Values("tool_choice", "{\"type\":\"allowed_tools\"}")),
        ("tool_choice.allowed_tools.mode", Values("tool_choice", "{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"none\"}}")),
        ("tool_choice.allowed_tools.tools", Values("tool_choice", "{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[]}}")),
        ("tool_choice.allowed_tools.tools[0].function.name", Values("tool_choice", "{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]}}")),
        ("messages[0].tool_call_id", [With("[{\"role\":\"tool\",\"content\":\"x\",\"tool_call_id\":\"c1\"}]")]),
        ("messages[2].tool_call_id", [With($"[{Caller("c1")},{Result("c1")},{Result("c2")}]"), With($"[{Caller("c1")},{Result("c1")},{{\"role\":\"tool\",\"content\":\"x\",\"tool_call_id\":7}}]")]),
        ("messages[0].tool_calls", [With($"[{Caller("c1")}]"), With($"[{Caller("c1", "c2")},{Result("c2")}]"), With($"[{Caller("c1")},{{\"role\":\"user\",\"content\":\"x\"}}]")]),
        ("messages[0].tool_calls[1].id", [With($"[{Caller("c1", "c1")}]")]),
        ("messages[0].tool_calls[0].id", [With("[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}]")]),
        ("messages[0].tool_calls[0].type", [With("[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"custom\",\"custom\":{}}]}]"), With("[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"\\ud800unction\"}]}]")]),
        ("messages[0].reasoning_content", [With("[{\"role\":\"assistant\",\"content\":\"x\",\"reasoning_content\":7}]")]),
        ("functions", Values("functions", "[{}]")),
        ("logprobs", Values("logprobs", "1")),
        ("top_logprobs", Values("top_logprobs", "1", "21,\"logprobs\":true", "-1", "2,\"logprobs\":false")),
        ("response_format", Values("response_format", "\"text\"", "[]")),
        ("response_format.type", Values("response_format", "{}", "{\"type\":\"xml\"}", "{\"type\":7}")),
        ("response_format.json_schema", Values("response_format", "{\"type\":\"json_schema\"}", "{\"type\":\"json_schema\",\"json_schema\":7}")),
        ("response_format.json_schema.name", Values("response_format", Schema("{}", "\"\""), Schema("{}", "\"a b\""), Schema("{}", "7"))),
        ("response_format.json_schema.strict", Values("response_format", "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\",\"strict\":1,\"schema\":{}}}")),
        ("response_format.json_schema.schema", Values("response_format", "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"a\"}}", Schema("7"), Schema("false"), Schema("{\"enum\":[]}"))),
        ("response_format.json_schema.schema.properties.a.pattern", Values("response_format", Schema("{\"properties\":{\"a\":{\"pattern\":\"(?=x)\"}}}"))),
        ("response_format.json_schema.schema.not", Values("response_format", Schema("{\"not\":{}}"))),
        ("guided_json", Values("guided_json", "\"{\"", "7")),
        ("guided_json.anyOf[1].type", Values("guided_json", "{\"anyOf\":[{},{\"type\":\"x\"}]}", "\"{\\\"anyOf\\\":[{},{\\\"type\\\":\\\"x\\\"}]}\"")),
        ("guided_regex", Values("guided_regex", "7", "\"(\"", "\"a{3,1}\"", "\"a{100001}\"")),
        ("guided_choice", Values("guided_choice", "[]", "\"a\"", "[\"a\"],\"response_format\":{\"type\":\"json_object\"}")),
        ("guided_choice[1]", Values("guided_choice", "[\"a\",7]", "[\"a\",\"\"]")),
        ("guided_grammar", Values("guided_grammar", "7", "\"\"", "\"root ::= root\"", "\"root ::= x\"")),
        ("frequency_penalty", Values("frequency_penalty", "2.1", "3", "\"0\"")),
        ("presence_penalty", Values("presence_penalty", "true", "-2.1")),
        ("logit_bias", Values("logit_bias", "7", "[]", "{\"a\":1}", "{\"-1\":1}", "{\"1.5\":1}", "{\"99999999999\":1}")),
        ("logit_bias.5", Values("logit_bias", "{\"5\":101}", "{\"5\":\"1\"}", "{\"4\":1,\"5\":null}")),
        ("audio", Values("audio", "{}")),
        ("modalities", Values("modalities", "[\"text\",\"audio\"]", "[]")),
        ("store", Values("store", "\"true\"", "1")),
        ("service_tier", Values("service_tier", "\"scale\"", "1")),
        ("priority", Values("priority", "0.5", "\"first\"", "1,\"service_tier\":\"flex\"")),
        ("metadata", Values("metadata", "[]")),
        ("metadata.a", Values("metadata", "{\"a\":1}")),
        ("prediction", Values("prediction", "\"x\"", "{}", "{\"type\":\"image\"}")),
        ("prompt_cache_options", Values("prompt_cache_options", "{\"mode\":\"explicit\"}")),
        ("prompt_cache_retention", Values("prompt_cache_retention", "\"24h\"")),
        ("stream_options.include_obfuscation", Values("stream_options", "{\"include_obfuscation\":true},\"stream\":true", "{\"include_obfuscation\":1},\"stream\":true")),
        ("messages[0].refusal", [With("[{\"role\":\"assistant\",\"content\":\"x\",\"refusal\":\"No.\"}]")]),
        ("messages[0].audio", [With("[{\"role\":\"assistant\",\"content\":\"x\",\"audio\":{\"id\":\"a\"}}]")]),
        ("messages[0].function_call", [With("[{\"role\":\"assistant\",\"content\":\"x\",\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"}}]")]),
        ("chat_template_kwargs", Values("chat_template_kwargs", "[]", "true", "{\"a\":\"\\ud800\"}")),
        ("chat_template_kwargs.tools", Values("chat_template_kwargs", "{\"tools\":[]}")),
        ("continue_final_message", Values("continue_final_message", "true")),
        ("add_generation_prompt", Values("add_generation_prompt", "false")),
        ("echo", Values("echo", "true")),
        ("skip_special_tokens", Values("skip_special_tokens", "false")),
        ("prompt_logprobs", Values("prompt_logprobs", "0")),
        ("user", Values("user", "7")),
        ("parallel_tool_calls", Values("parallel_tool_calls", "1")),
        ("top_k", Values("top_k", "-2", "1.5", "\"5\"")),
        ("min_p", Values("min_p", "-0.1", "1.1", "\"0\"")),
        ("typical_p", Values("typical_p", "0", "1.1")),
        ("repetition_penalty", Values("repetition_penalty", "0", "-1", "10.1")),
        ("min_tokens", Values("min_tokens", "-1", "1.5", "11,\"max_tokens\":10")),
        ("ignore_eos", Values("ignore_eos", "1")),
        ("stop_token_ids", Values("stop_token_ids", "7", "{}")),
        ("stop_token_ids[1]", Values("stop_token_ids", "[1,-1]", "[1,\"2\"]")),
        ("bad_words", Values("bad_words", "[\"x\"]")),
        ("chat_template", Values("chat_template", "\"{{ x }}\"")),
    ];

    private static string Schema(string schema, string name = "\"answer\"") =>
        $"{{\"type\":\"json_schema\",\"json_schema\":{{\"name\":{name},\"strict\":true,\"schema\":{schema}}}}}";

    private static readonly string[] _neutralFields =
    [
        "\"n\":1", "\"tools\":[]", "\"tools\":null", "\"tool_choice\":\"auto\"", "\"logprobs\":false", "\"top_logprobs\":0", "\"response_format\":{\"type\":\"text\"}",
        "\"frequency_penalty\":0", "\"presence_penalty\":0.0", "\"logit_bias\":{}", "\"modalities\":[\"text\"]", "\"store\":false", "\"service_tier\":\"auto\"",
        "\"service_tier\":\"default\"", "\"metadata\":{\"a\":\"b\"}", "\"user\":\"ann\"", "\"parallel_tool_calls\":true", "\"top_k\":-1", "\"min_p\":0", "\"audio\":null",
        "\"reasoning_effort\":null", "\"stop\":[]", "\"temperature\":2", "\"top_p\":1", "\"max_tokens\":1", "\"never_heard_of\":[{}]", "\"verbosity\":\"medium\"",
        "\"prediction\":{\"type\":\"content\",\"content\":\"x\"}", "\"prompt_cache_options\":{\"ttl\":\"30m\"}", "\"prompt_cache_retention\":\"in_memory\"", "\"safety_identifier\":\"a\"",
        "\"prompt_cache_key\":\"a\"", "\"stream\":true,\"stream_options\":{\"include_obfuscation\":false}", "\"skip_special_tokens\":true", "\"echo\":false",
    ];

    /// <summary>The properties of CreateChatCompletionRequest in OpenAI's specification.</summary>
    private static readonly string[] _specified =
    [
        "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "messages", "metadata",
        "modalities", "model", "moderation", "n", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options",
        "prompt_cache_retention", "reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream", "stream_options",
        "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options",
    ];

    /// <summary>A value that is wrong everywhere: where it passes, nobody reads the field.</summary>
    [Fact]
    public async Task No_field_of_the_specification_is_dropped_in_silence()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        foreach (var field in _specified)
        {
            var body = JsonNode.Parse(Bodies.Chat())!;
            body[field] = JsonNode.Parse("[[7]]");
            using var response = await gateway.ChatAsync(body.ToJsonString());
            Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{(int)response.StatusCode} for {field}");
            Assert.StartsWith(field, (await response.ErrorAsync()).GetProperty("param").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_field_of_the_specification_has_its_row_in_the_documentation()
    {
        var rows = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "openai-compatibility.md")).Where(line => line.StartsWith("| `", StringComparison.Ordinal));
        var named = rows.Select(row => row.Split('|')[1]).ToArray();
        Assert.All(_specified, field => Assert.Contains(named, row => row.Contains($"`{field}`", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_mistake_is_a_400_that_names_its_field_and_reaches_no_worker()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        foreach (var (param, body) in _faults.SelectMany(fault => fault.Bodies.Select(body => (fault.Param, body))))
        {
            using var response = await gateway.ChatAsync(body);
            Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{(int)response.StatusCode} for {body}");
            var error = await response.ErrorAsync();
            Assert.True(error.GetProperty("param").GetString() == param, $"{error} for {body}");
            Assert.Equal("invalid_request_error", error.GetProperty("type").GetString());
            Assert.NotEmpty(error.GetProperty("message").GetString()!);
        }

        Assert.Equal(0, worker.RequestCount);
        using var after = await gateway.ChatAsync(Bodies.Chat());
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Fact]
    public async Task Fields_that_leave_the_answer_as_it_is_are_accepted()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        foreach (var field in _neutralFields)
        {
            using var response = await gateway.ChatAsync(Bodies.Chat(field));
            Assert.True(response.StatusCode == HttpStatusCode.OK, $"{(int)response.StatusCode} for {field}");
        }
    }

    /// <summary>Types and charsets in any case, parameters in quotes: RFC 9110, sections 8.3.1 and 5.6.6.</summary>
    [Theory]
    [InlineData("Application/JSON", null)]
    [InlineData("application/json; charset=\"utf-8\"", null)]
    [InlineData("application/json;charset=UTF-8", "identity")]
    public async Task Json_is_known_however_HTTP_writes_its_type(string type, string? encoding)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(Bodies.Chat())) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        request.Content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);

        using var response = await gateway.Client.SendAsync(request, TestTime.Limit());

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_body_of_10_mb_is_refused_with_413(bool chunked)
    {
        await using var gateway = await TestGateway.BeforeAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new ByteArrayContent(new byte[10_000_000]),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TransferEncodingChunked = chunked;

        using var response = await gateway.Client.SendAsync(request, TestTime.Limit());

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("request_too_large", (await response.ErrorAsync()).GetProperty("code").GetString());
    }

    [Fact]
    public async Task An_unknown_model_is_a_404_that_lists_the_served_ones_and_suggests_the_nearest()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat(model: "smollm2-135m-instuct"));

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        var error = await response.ErrorAsync();
        Assert.Equal("model_not_found", error.GetProperty("code").GetString());
        Assert.Equal("model", error.GetProperty("param").GetString());
        Assert.Equal(
            "The model 'smollm2-135m-instuct' is not served here. Did you mean 'smollm2-135m-instruct'? Served: smollm2-135m-instruct.",
            error.GetProperty("message").GetString());
    }

    [Theory]
    [InlineData("POST", "/v1/nothing", HttpStatusCode.NotFound, "unknown_url")]
    [InlineData("PUT", "/v1/chat/completions", HttpStatusCode.MethodNotAllowed, "method_not_allowed")]
    [InlineData("DELETE", "/v1/models", HttpStatusCode.MethodNotAllowed, "method_not_allowed")]
    public async Task Unknown_urls_and_methods_have_openais_error_body(string method, string path, HttpStatusCode status, string code)
    {
        await using var gateway = await TestGateway.BeforeAsync();

        using var response = await gateway.SendAsync(new HttpMethod(method), path);

        Assert.Equal(status, response.StatusCode);
        Assert.Equal(code, (await response.ErrorAsync()).GetProperty("code").GetString());
        Assert.StartsWith("req_", response.Header("x-request-id"), StringComparison.Ordinal);
    }

    private static string Tools(params string[] functions) =>
        $"[{string.Join(",", functions.Select(function => $"{{\"type\":\"function\",\"function\":{function}}}"))}]";

    private static string Caller(params string[] ids) =>
        $"{{\"role\":\"assistant\",\"tool_calls\":[{string.Join(",", ids.Select(id => $"{{\"id\":\"{id}\",\"type\":\"function\",\"function\":{{\"name\":\"f\",\"arguments\":\"{{}}\"}}}}"))}]}}";

    private static string Result(string id) => $"{{\"role\":\"tool\",\"content\":\"x\",\"tool_call_id\":\"{id}\"}}";

    private static string With(string messages) => $"{{{Model},\"messages\":{messages}}}";

    private static string[] Values(string field, params string[] values) => [.. values.Select(value => Bodies.Chat($"\"{field}\":{value}"))];
}
