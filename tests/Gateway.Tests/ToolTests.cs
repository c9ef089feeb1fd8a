using System.Net;
using System.Text.Json;
using Serving.Contracts.Internal;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

public sealed class ToolTests
{
    private const string Tools = """
        "tools":[{"type":"function","function":{"description":"Adds.","strict":false,"name":"add","parameters":{"type":"object","properties":{"a":{"type":"number","x-note":"é"}}}}},
                 {"type":"function","function":{"name":"now"}}]
        """;

    [Fact]
    public async Task A_whole_answer_has_its_calls_and_its_reasoning()
    {
        await using var worker = await CallingWorkerAsync();
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat(Tools));

        var body = await response.JsonAsync();
        Assert.Equal(
            """{"index":0,"message":{"role":"assistant","content":null,"refusal":null,"reasoning_content":"Let me think.","tool_calls":[{"id":"call_1","type":"function","function":{"name":"add","arguments":"{\"a\": 1}"}},{"id":"call_2","type":"function","function":{"name":"now","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"}""",
            body.GetProperty("choices")[0].GetRawText());
        Assert.Equal(2, body.GetProperty("usage").GetProperty("completion_tokens_details").GetProperty("reasoning_tokens").GetInt32());
    }

    [Fact]
    public async Task A_stream_has_a_calls_id_and_name_once_and_its_arguments_in_pieces()
    {
        await using var worker = await CallingWorkerAsync();
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat(Tools + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}"));

        var events = (await response.Content.ReadAsStringAsync(TestTime.Limit())).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        var choices = events[..^2].Select(line => JsonDocument.Parse(line["data: ".Length..]).RootElement.GetProperty("choices")[0]).ToArray();
        Assert.Equal(
            [
                """{"role":"assistant","content":""}""",
                """{"reasoning_content":"Let me "}""",
                """{"reasoning_content":"think."}""",
                """{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"add","arguments":""}}]}""",
                """{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}""",
                """{"tool_calls":[{"index":0,"function":{"arguments":" 1}"}},{"index":1,"id":"call_2","type":"function","function":{"name":"now","arguments":"{}"}}]}""",
                "{}",
            ],
            choices.Select(choice => choice.GetProperty("delta").GetRawText()));
        Assert.Equal("tool_calls", choices[^1].GetProperty("finish_reason").GetString());
        Assert.Contains("\"reasoning_tokens\":2", events[^2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_worker_hears_of_the_tools()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat(Tools + ",\"parallel_tool_calls\":false,\"tool_choice\":\"auto\""));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var request = await worker.RequestAsync();
        Assert.Equal(
            """[{"type":"function","function":{"name":"add","description":"Adds.","parameters":{"type":"object","properties":{"a":{"type":"number","x-note":"é"}}}}},{"type":"function","function":{"name":"now","parameters":{"type":"object","properties":{}}}}]""",
            request.Chat.ToolsJson.ToStringUtf8());
        Assert.Equal(["add", "now"], request.Tools.Functions);
        Assert.True(request.Tools.SingleCall);
    }

    [Fact]
    public async Task Without_a_choice_the_model_hears_of_no_tool()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat(Tools + ",\"tool_choice\":\"none\""));

        var request = await worker.RequestAsync();
        Assert.Null(request.Tools);
        Assert.True(request.Chat.ToolsJson.IsEmpty);
    }

    [Fact]
    public async Task Allowed_tools_are_shown_all_and_called_only_where_allowed()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await gateway.ChatAsync(Bodies.Chat(
            Tools + ""","tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"now"}}]}}"""));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var request = await worker.RequestAsync();
        Assert.Equal(["now"], request.Tools.Functions);
        Assert.Contains("\"add\"", request.Chat.ToolsJson.ToStringUtf8(), StringComparison.Ordinal);
    }

    private static async Task<StubWorker> CallingWorkerAsync()
    {
        var worker = await StubWorker.StartAsync("decode-1");
        worker.Script = async exchange =>
        {
            await exchange.StartAsync();
            await exchange.TokenAsync(new TokenChunk { Reasoning = "Let me " });
            await exchange.TokenAsync(new TokenChunk { Reasoning = "think." });
            await exchange.TokenAsync(new TokenChunk { ToolCalls = { new ToolCallDelta { Id = "call_1", Name = "add" } } });
            await exchange.TokenAsync(new TokenChunk { ToolCalls = { new ToolCallDelta { Arguments = "{\"a\":" } } });
            await exchange.TokenAsync(new TokenChunk
            {
                ToolCalls = { new ToolCallDelta { Arguments = " 1}" }, new ToolCallDelta { Index = 1, Id = "call_2", Name = "now", Arguments = "{}" } },
            });
            await exchange.FinishAsync(new CompletionFinished { Reason = FinishReason.ToolCalls, CompletionTokens = 9, ReasoningTokens = 2 });
        };
        return worker;
    }
}
