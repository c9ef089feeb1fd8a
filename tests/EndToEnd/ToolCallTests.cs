using System.ClientModel;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenAI;
using OpenAI.Chat;

namespace Serving.EndToEnd;

/// <summary>Tool calls from a model's tokens to the client, in every form, through tokenizer, engine, worker and gateway.</summary>
public sealed class ToolCallTests(ScriptedPlatform scripted) : IClassFixture<ScriptedPlatform>
{
    private const string Tools = """
        [{"type":"function","function":{"name":"get_weather","description":"The weather of a city.","parameters":
           {"type":"object","properties":{"city":{"type":"string"},"days":{"type":"array","items":{"type":"integer"}}},"required":["city"]}}},
         {"type":"function","function":{"name":"now","description":"The time.","parameters":{"type":"object","properties":{"zone":{"type":"string"}}}}}]
        """;

    private readonly Platform _platform = scripted.Platform;

    public static TheoryData<string> Families => [.. ToolFamilies.All.Keys];

    /// <summary>Each family, with what it says cut into pieces of some bytes and into single bytes.</summary>
    public static TheoryData<string, string> Cuts =>
        [.. from name in ToolFamilies.All.Keys from cut in (string[])["", " by bytes"] select (name, cut)];

    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task Calls_come_whole_and_in_pieces_and_their_results_are_answered(string name, string cut)
    {
        Family family = ToolFamilies.All[name];

        JsonObject whole = await AskAsync(Request(name, "weather" + cut));
        (JsonObject streamed, int pieces) = await StreamAsync(Request(name, "weather" + cut));

        foreach (JsonObject choice in (JsonObject[])[whole, streamed])
        {
            JsonObject message = choice["message"]!.AsObject();
            Assert.Equal("tool_calls", (string?)choice["finish_reason"]);
            Assert.Equal(family.Content, (string?)message["content"] ?? "");
            Assert.Equal(family.Reasoning, (string?)message["reasoning_content"] ?? "");
            JsonArray calls = message["tool_calls"]!.AsArray();
            Assert.Equal(family.Calls, calls.Count);
            Assert.Equal("get_weather", (string?)calls[0]!["function"]!["name"]);
            AssertSameJson(ToolFamilies.FirstArguments, (string)calls[0]!["function"]!["arguments"]!);
            if (family.Calls == 2)
            {
                Assert.Equal("now", (string?)calls[1]!["function"]!["name"]);
                AssertSameJson(ToolFamilies.SecondArguments, (string)calls[1]!["function"]!["arguments"]!);
            }
        }

        Assert.True(pieces > family.Calls * 3, $"the arguments came in {pieces} pieces");
        JsonObject answered = await AskAsync(WithResults(Request(name, "weather" + cut), whole["message"]!.AsObject()));
        Assert.Equal(ToolFamilies.Final, (string?)answered["message"]!["content"]);
        Assert.Equal("stop", (string?)answered["finish_reason"]);
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task What_only_looks_like_a_call_is_text(string name, string cut)
    {
        JsonObject choice = await AskAsync(Request(name, "talk" + cut));
        Assert.Equal(ToolFamilies.All[name].TalkContent, (string?)choice["message"]!["content"]);
        Assert.Null(choice["message"]!["tool_calls"]);
        Assert.Equal("stop", (string?)choice["finish_reason"]);

        (JsonObject streamed, _) = await StreamAsync(Request(name, "talk" + cut));
        Assert.Equal(ToolFamilies.All[name].TalkContent, (string?)streamed["message"]!["content"]);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public async Task An_answer_of_a_single_call_ends_with_it(string name)
    {
        JsonObject request = Request(name, "weather");
        request["parallel_tool_calls"] = false;
        JsonObject choice = await AskAsync(request);
        Assert.Single(choice["message"]!["tool_calls"]!.AsArray());
        Assert.Equal("tool_calls", (string?)choice["finish_reason"]);
    }

    [Fact]
    public async Task An_answer_that_is_cut_off_says_length()
    {
        JsonObject request = Request("hermes", "weather");
        request["max_tokens"] = 33;
        JsonObject choice = await AskAsync(request);
        Assert.Equal("length", (string?)choice["finish_reason"]);
        string arguments = (string)choice["message"]!["tool_calls"]![0]!["function"]!["arguments"]!;
        Assert.StartsWith(arguments, ToolFamilies.FirstArguments, StringComparison.Ordinal);
        Assert.NotEqual(ToolFamilies.FirstArguments, arguments);
    }

    [Fact]
    public async Task A_stop_sequence_holds_in_arguments_and_reasoning()
    {
        JsonObject request = Request("hermes", "weather");
        request["stop"] = "Rhein";
        JsonObject choice = await AskAsync(request);
        Assert.Equal("""{"city": "Köln \"am """, (string?)choice["message"]!["tool_calls"]![0]!["function"]!["arguments"]);
        Assert.Equal("stop", (string?)choice["finish_reason"]);
        Assert.Equal("Rhein", (string?)choice["stop_reason"]);

        request["stop"] = "today";
        choice = await AskAsync(request);
        Assert.Equal("They ask for \"Köln\" {", (string?)choice["message"]!["reasoning_content"]);
        Assert.Null(choice["message"]!["tool_calls"]);
    }

    [Fact]
    public async Task Every_answer_of_several_has_its_calls()
    {
        JsonObject request = Request("mistral", "weather");
        request["n"] = 3;
        using HttpResponseMessage response = await Chat.PostAsync(_platform.Client, request);
        JsonArray choices = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["choices"]!.AsArray();
        Assert.Equal(3, choices.Count);
        string[] ids = [.. choices.SelectMany(choice => choice!["message"]!["tool_calls"]!.AsArray()).Select(call => (string)call!["id"]!)];
        Assert.Equal(6, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^[A-Za-z0-9]{9}$", id));
    }

    [Fact]
    public async Task The_openai_npm_client_runs_tools()
    {
        JsonObject seen = JsonObject.Create(await Node.RunAsync(_platform, "tools.mjs", [.. ToolFamilies.All.Keys]))!;
        foreach ((string name, Family family) in ToolFamilies.All)
        {
            foreach (string way in (string[])["whole", "streamed"])
            {
                JsonObject run = seen[name]![way]!.AsObject();
                Assert.Equal(ToolFamilies.Final, (string?)run["final"]);
                JsonArray calls = run["calls"]!.AsArray();
                Assert.Equal(family.Calls, calls.Count);
                AssertSameJson(ToolFamilies.FirstArguments, calls[0]!.ToJsonString());
            }
        }
    }

    [Fact]
    public async Task The_OpenAI_NET_client_calls_tools_whole_and_streamed()
    {
        ChatClient client = new("mistral", new ApiKeyCredential("unused-on-loopback"), new OpenAIClientOptions { Endpoint = new Uri(_platform.BaseAddress, "/v1") });
        ChatCompletionOptions options = new()
        {
            Tools = { ChatTool.CreateFunctionTool("get_weather"), ChatTool.CreateFunctionTool("now") },
            ToolChoice = ChatToolChoice.CreateAutoChoice(),
        };
        List<ChatMessage> messages = [new UserChatMessage("weather")];

        ChatCompletion completion = await client.CompleteChatAsync(messages, options);
        Assert.Equal(ChatFinishReason.ToolCalls, completion.FinishReason);
        Assert.Equal(["get_weather", "now"], completion.ToolCalls.Select(call => call.FunctionName));

        StringBuilder arguments = new();
        await foreach (StreamingChatCompletionUpdate update in client.CompleteChatStreamingAsync(messages, options))
        {
            arguments.AppendJoin("", update.ToolCallUpdates.Where(call => call.Index == 0).Select(call => call.FunctionArgumentsUpdate?.ToString()));
        }

        AssertSameJson(ToolFamilies.FirstArguments, arguments.ToString());
        messages.Add(new AssistantChatMessage(completion));
        messages.AddRange(completion.ToolCalls.Select(call => new ToolChatMessage(call.Id, "7 °C")));
        ChatCompletion answer = await client.CompleteChatAsync(messages, options);
        Assert.Equal(ToolFamilies.Final, answer.Content[0].Text);
    }

    private static JsonObject Request(string model, string script) => new()
    {
        ["model"] = model,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = script }),
        ["tools"] = JsonNode.Parse(Tools),
    };

    private static JsonObject WithResults(JsonObject request, JsonObject answer)
    {
        JsonArray messages = request["messages"]!.AsArray();
        messages.Add(answer.DeepClone());
        foreach (JsonNode? call in answer["tool_calls"]!.AsArray())
        {
            messages.Add(new JsonObject { ["role"] = "tool", ["tool_call_id"] = call!["id"]!.DeepClone(), ["content"] = "7 °C" });
        }

        return request;
    }

    private Task<JsonObject> AskAsync(JsonObject request) => Chat.ChoiceAsync(_platform.Client, request);

    /// <summary>The choice that a stream's deltas make, put together as clients do, and how many deltas of calls there were.</summary>
    private async Task<(JsonObject Choice, int Pieces)> StreamAsync(JsonObject request)
    {
        request["stream"] = true;
        using HttpResponseMessage response = await Chat.PostAsync(_platform.Client, request);
        StringBuilder content = new();
        StringBuilder reasoning = new();
        List<(string Id, string Name, StringBuilder Arguments)> calls = [];
        string? finish = null;
        int pieces = 0;
        await foreach (string data in Chat.EventsAsync(response))
        {
            if (data == "[DONE]")
            {
                break;
            }

            JsonNode choice = JsonNode.Parse(data)!["choices"]![0]!;
            finish = (string?)choice["finish_reason"] ?? finish;
            JsonNode delta = choice["delta"]!;
            content.Append((string?)delta["content"]);
            reasoning.Append((string?)delta["reasoning_content"]);
            foreach (JsonNode? call in delta["tool_calls"]?.AsArray() ?? [])
            {
                int index = (int)call!["index"]!;
                if (call["id"] is { } id)
                {
                    Assert.Equal(calls.Count, index);
                    Assert.Equal("function", (string?)call["type"]);
                    calls.Add(((string)id!, (string)call["function"]!["name"]!, new StringBuilder()));
                }

                calls[index].Arguments.Append((string?)call["function"]!["arguments"]);
                pieces++;
            }
        }

        JsonObject message = new() { ["content"] = content.ToString(), ["reasoning_content"] = reasoning.ToString() };
        message["tool_calls"] = new JsonArray([.. calls.Select(call => new JsonObject
        {
            ["id"] = call.Id,
            ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = call.Arguments.ToString() },
        })]);
        return (new JsonObject { ["message"] = message, ["finish_reason"] = finish }, pieces);
    }

    private static void AssertSameJson(string expected, string actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual)), $"{actual} is not {expected}");
}
