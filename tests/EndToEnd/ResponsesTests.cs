using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serving.EndToEnd;

/// <summary><c>/v1/responses</c> of a real model, kept in the embedded store.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class ResponsesTests(SharedPlatform shared)
{
    private const string Route = "/v1/responses";
    private readonly Platform _platform = shared.Platform;

    [Fact]
    public async Task A_response_is_the_chats_answer_in_whole_and_in_pieces_and_is_gone_on_with()
    {
        JsonObject request = Request(Chat.Question);

        JsonElement first = await PostAsync(Route, request);
        request["stream"] = true;
        using HttpResponseMessage stream = await _platform.Client.PostAsJsonAsync(Route, request);
        JsonElement[] events = await Chat.EventsAsync(stream).Select(data => JsonDocument.Parse(data).RootElement).ToArrayAsync();
        JsonObject followUp = Request("And of Italy?");
        followUp["previous_response_id"] = first.GetProperty("id").GetString();
        JsonObject counted = (JsonObject)followUp.DeepClone();
        JsonElement second = await PostAsync(Route, followUp);
        JsonElement count = await PostAsync(Route + "/input_tokens", counted);

        Assert.Equal(Chat.Answer, TextOf(first));
        Assert.Equal(Chat.Answer, string.Concat(events.Where(part => Type(part) == "response.output_text.delta").Select(part => part.GetProperty("delta").GetString())));
        Assert.Equal(("response.created", "response.completed"), (Type(events[0]), Type(events[^1])));
        Assert.Equal(Chat.Answer, TextOf(events[^1].GetProperty("response")));
        Assert.Contains("Rome", TextOf(second), StringComparison.Ordinal);
        Assert.Equal(count.GetProperty("input_tokens").GetInt32(), second.GetProperty("usage").GetProperty("input_tokens").GetInt32());
        JsonElement items = await GetAsync($"{Route}/{second.GetProperty("id").GetString()}/input_items?order=asc");
        Assert.Equal(["user", "assistant", "user"], items.GetProperty("data").EnumerateArray().Select(item => item.GetProperty("role").GetString()));
    }

    [Fact]
    public async Task A_background_response_is_done_later_cancelled_and_deleted()
    {
        JsonObject request = Request(Chat.Question);
        request["background"] = true;
        string id = (await PostAsync(Route, request)).GetProperty("id").GetString()!;
        JsonElement done = await GetAsync($"{Route}/{id}");
        for (int polls = 0; polls < 200 && Status(done) is "queued" or "in_progress"; polls++)
        {
            await Task.Delay(50);
            done = await GetAsync($"{Route}/{id}");
        }

        JsonObject endless = Request("Tell me a very long story.");
        endless["background"] = true;
        endless["max_output_tokens"] = 4_000;
        endless["ignore_eos"] = true;
        string other = (await PostAsync(Route, endless)).GetProperty("id").GetString()!;
        JsonElement cancelled = await PostAsync($"{Route}/{other}/cancel", []);

        Assert.Equal(("completed", Chat.Answer), (Status(done), TextOf(done)));
        Assert.Equal("cancelled", Status(cancelled));
        using HttpResponseMessage deleted = await _platform.Client.DeleteAsync($"{Route}/{id}");
        using HttpResponseMessage gone = await _platform.Client.GetAsync($"{Route}/{id}");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.NotFound), (deleted.StatusCode, gone.StatusCode));
    }

    private static string Type(JsonElement element) => element.GetProperty("type").GetString()!;

    private static string Status(JsonElement response) => response.GetProperty("status").GetString()!;

    private static string TextOf(JsonElement response) => response.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString()!;

    private static JsonObject Request(string input) => new() { ["model"] = Chat.Model, ["input"] = input, ["temperature"] = 0, ["max_output_tokens"] = 64 };

    private async Task<JsonElement> PostAsync(string route, JsonObject request)
    {
        using HttpResponseMessage response = await _platform.Client.PostAsJsonAsync(route, request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<JsonElement> GetAsync(string route)
    {
        using HttpResponseMessage response = await _platform.Client.GetAsync(route);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }
}
