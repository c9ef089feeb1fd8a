using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serving.EndToEnd;

/// <summary>A small model, at temperature 1, that has to call: what it writes is a call in any case.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class ToolChoiceTests(SharedPlatform shared)
{
    private const string Tools = """
        [{"type":"function","function":{"name":"set_light","description":"Switches a light.","strict":true,"parameters":
           {"type":"object","properties":{"room":{"enum":["kitchen","hall"]},"level":{"type":"integer","minimum":0,"maximum":100}},"required":["room","level"],"additionalProperties":false}}},
         {"type":"function","function":{"name":"all_off","description":"Switches all lights off."}}]
        """;

    private readonly Platform _platform = shared.Platform;

    [Theory]
    [InlineData("\"required\"", true)]
    [InlineData("\"required\"", false)]
    [InlineData("""{"type":"function","function":{"name":"set_light"}}""", true)]
    [InlineData("""{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"all_off"}}]}}""", true)]
    public async Task A_call_that_is_demanded_comes(string choice, bool isParallel)
    {
        for (int seed = 0; seed < 5; seed++)
        {
            JsonObject request = Request("Make the kitchen bright.", seed);
            request["tool_choice"] = JsonNode.Parse(choice);
            request["parallel_tool_calls"] = isParallel;
            request["max_tokens"] = 400;
            JsonObject answer = await AskAsync(request);

            JsonArray calls = answer["message"]!["tool_calls"]!.AsArray();
            if ((string?)answer["finish_reason"] == "length")
            {
                // Parallel calls, one after the other, of which the model has not had enough; the beginning of one that is not there yet is text.
                Assert.True(isParallel && calls.Count > 1, answer.ToJsonString());
                calls.RemoveAt(calls.Count - 1);
            }
            else
            {
                Assert.Equal("tool_calls", (string?)answer["finish_reason"]);
                Assert.Null(answer["message"]!["content"]);
            }

            Assert.True(isParallel && choice == "\"required\"" || calls.Count == 1 || choice.Contains("allowed", StringComparison.Ordinal), answer.ToJsonString());
            foreach (JsonNode? call in calls)
            {
                AssertCall(call!, choice.Contains("all_off", StringComparison.Ordinal) ? ["all_off"] : choice.Contains("set_light", StringComparison.Ordinal) ? ["set_light"] : ["set_light", "all_off"]);
            }
        }
    }

    [Fact]
    public async Task Calls_of_strict_functions_are_as_their_schemas_say_where_they_come()
    {
        for (int seed = 0; seed < 5; seed++)
        {
            JsonObject answer = await AskAsync(Request("Call set_light now: <tool_call>", seed));
            foreach (JsonNode? call in answer["message"]!["tool_calls"]?.AsArray() ?? [])
            {
                if ((string?)answer["finish_reason"] != "length")
                {
                    AssertCall(call!, ["set_light", "all_off"]);
                }
            }
        }
    }

    [Fact]
    public async Task A_schema_that_cannot_be_held_is_refused_where_it_must_be_and_only_there()
    {
        JsonObject request = Request("Hello", seed: 1);
        request["tools"]![0]!["function"]!["parameters"]!["properties"]!["room"] = JsonNode.Parse("""{"$ref":"http://elsewhere.example/room"}""");
        using HttpResponseMessage refused = await Chat.PostAsync(_platform.Client, request);
        JsonNode error = JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["error"]!;
        Assert.Equal(400, (int)refused.StatusCode);
        Assert.Equal("tools[0].function.parameters.properties.room.$ref", (string?)error["param"]);

        request["tools"]![0]!["function"]!["strict"] = false;
        request["max_tokens"] = 1;
        using HttpResponseMessage served = await Chat.PostAsync(_platform.Client, request);
        Assert.Equal(200, (int)served.StatusCode);
    }

    private static JsonObject Request(string question, int seed)
    {
        JsonObject request = Chat.Request(question, maxTokens: 96);
        request["temperature"] = 1;
        request["seed"] = seed;
        request["tools"] = JsonNode.Parse(Tools);
        return request;
    }

    private Task<JsonObject> AskAsync(JsonObject request) => Chat.ChoiceAsync(_platform.Client, request);

    private static void AssertCall(JsonNode call, string[] names)
    {
        Assert.Contains((string?)call["function"]!["name"], names);
        using JsonDocument arguments = JsonDocument.Parse((string)call["function"]!["arguments"]!);
        if ((string?)call["function"]!["name"] == "all_off")
        {
            Assert.Equal(0, arguments.RootElement.GetPropertyCount());
            return;
        }

        Assert.Contains(arguments.RootElement.GetProperty("room").GetString(), (string[])["kitchen", "hall"]);
        Assert.InRange(arguments.RootElement.GetProperty("level").GetInt32(), 0, 100);
    }
}
