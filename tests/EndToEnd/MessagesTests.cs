using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serving.EndToEnd;

/// <summary>Anthropic's <c>POST /v1/messages</c> of a real model.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class MessagesTests(SharedPlatform shared)
{
    private const string Route = "/v1/messages";
    private readonly Platform _platform = shared.Platform;

    [Fact]
    public async Task A_message_is_the_chats_answer_in_whole_and_in_pieces()
    {
        JsonObject request = Request(Chat.Question);

        JsonElement message = await PostAsync(Route, request);
        JsonObject count = Request(Chat.Question);
        count.Remove("max_tokens");
        JsonElement counted = await PostAsync(Route + "/count_tokens", count);
        request["stream"] = true;
        using HttpResponseMessage stream = await _platform.Client.PostAsJsonAsync(Route, request);
        JsonElement[] events = await Chat.EventsAsync(stream).Select(data => JsonDocument.Parse(data).RootElement).ToArrayAsync();

        Assert.Equal(Chat.Answer, message.GetProperty("content")[0].GetProperty("text").GetString());
        Assert.Equal("end_turn", message.GetProperty("stop_reason").GetString());
        JsonElement usage = message.GetProperty("usage");
        Assert.Equal(
            counted.GetProperty("input_tokens").GetInt32(), usage.GetProperty("input_tokens").GetInt32() + usage.GetProperty("cache_read_input_tokens").GetInt32());
        Assert.Equal(("message_start", "message_stop"), (Type(events[0]), Type(events[^1])));
        Assert.Equal(
            Chat.Answer,
            string.Concat(events.Where(part => Type(part) == "content_block_delta").Select(part => part.GetProperty("delta").GetProperty("text").GetString())));
    }

    [Fact]
    public async Task A_tool_that_must_be_called_is_and_its_result_goes_back()
    {
        JsonObject request = Request("What is the weather in Paris?");
        request["tools"] = JsonNode.Parse(
            """[{"name":"get_weather","description":"Tells the weather.","input_schema":{"type":"object","properties":{"city":{"type":"string","enum":["Paris","Rome"]}},"required":["city"],"additionalProperties":false}}]""");
        request["tool_choice"] = JsonNode.Parse("""{"type":"tool","name":"get_weather"}""");

        JsonElement asked = await PostAsync(Route, request);
        JsonElement call = asked.GetProperty("content").EnumerateArray().Single(block => Type(block) == "tool_use");
        JsonArray messages = request["messages"]!.AsArray();
        messages.Add(new JsonObject { ["role"] = "assistant", ["content"] = JsonNode.Parse(asked.GetProperty("content").GetRawText()) });
        messages.Add(new JsonObject
        {
            ["role"] = "user",
            ["content"] = new JsonArray(new JsonObject { ["type"] = "tool_result", ["tool_use_id"] = call.GetProperty("id").GetString(), ["content"] = "Sunny." }),
        });
        request["tool_choice"] = JsonNode.Parse("""{"type":"none"}""");
        JsonElement told = await PostAsync(Route, request);

        Assert.Equal("tool_use", asked.GetProperty("stop_reason").GetString());
        Assert.Contains(call.GetProperty("input").GetProperty("city").GetString(), new[] { "Paris", "Rome" });
        Assert.Equal("text", Type(told.GetProperty("content")[0]));
    }

    private static string Type(JsonElement element) => element.GetProperty("type").GetString()!;

    private static JsonObject Request(string question) => new()
    {
        ["model"] = Chat.Model,
        ["max_tokens"] = 64,
        ["temperature"] = 0,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
    };

    private async Task<JsonElement> PostAsync(string route, JsonObject request)
    {
        using HttpResponseMessage response = await _platform.Client.PostAsJsonAsync(route, request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }
}
