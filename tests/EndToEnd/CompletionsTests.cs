using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serving.EndToEnd;

/// <summary><c>POST /v1/completions</c> of a real model.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class CompletionsTests(SharedPlatform shared)
{
    private const string Route = "/v1/completions";
    private const string Prompt = "The capital of France is";
    private readonly Platform _platform = shared.Platform;

    [Fact]
    public async Task Texts_and_their_tokens_are_gone_on_with_alike_in_whole_and_in_pieces()
    {
        int[] tokens = await TokensAsync(Prompt);
        JsonObject request = Request(new JsonArray(Prompt, "Once upon a time"), maxTokens: 12);

        JsonElement[] texts = Choices(await PostAsync(request));
        request["prompt"] = new JsonArray([.. tokens.Select(token => (JsonNode)token)]);
        JsonElement fromTokens = Choices(await PostAsync(request))[0];
        request["stream"] = true;
        using HttpResponseMessage stream = await _platform.Client.PostAsJsonAsync(Route, request);
        List<string> pieces = await Chat.EventsAsync(stream).ToListAsync();

        Assert.Equal([0, 1], texts.Select(choice => choice.GetProperty("index").GetInt32()));
        Assert.StartsWith(" Paris", Text(texts[0]), StringComparison.Ordinal);
        Assert.NotEqual(Text(texts[0]), Text(texts[1]));
        Assert.Equal(Text(texts[0]), Text(fromTokens));
        Assert.Equal("[DONE]", pieces[^1]);
        Assert.Equal(Text(texts[0]), string.Concat(pieces[..^1].Select(piece => Text(JsonDocument.Parse(piece).RootElement.GetProperty("choices")[0]))));
    }

    /// <summary>What an evaluation asks: how likely a text is as it stands. Reading it gives the log probabilities that writing it gave.</summary>
    [Fact]
    public async Task An_echo_has_the_log_probabilities_that_the_same_tokens_have_as_an_answer()
    {
        JsonObject request = Request(Prompt, maxTokens: 8);
        request["logprobs"] = 2;
        JsonElement written = Choices(await PostAsync(request))[0];

        request["prompt"] = Prompt + Text(written);
        request["echo"] = true;
        request["max_tokens"] = 0;
        JsonElement body = await PostAsync(request);
        JsonElement read = Choices(body)[0];

        Assert.Equal(Prompt + Text(written), Text(read));
        (string[] tokens, double?[] logprobs) = Logprobs(read);
        (string[] writtenTokens, double?[] writtenLogprobs) = Logprobs(written);
        Assert.Equal(writtenTokens, tokens[^writtenTokens.Length..]);
        Assert.Equal(writtenLogprobs, logprobs[^writtenLogprobs.Length..]);
        Assert.Null(logprobs[0]);
        Assert.Equal(Text(read), string.Concat(tokens));
        Assert.Equal(0, body.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal(tokens.Length, body.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public async Task A_prompt_that_is_too_long_fails_all_and_names_itself()
    {
        using HttpResponseMessage response = await _platform.Client.PostAsJsonAsync(
            Route, Request(new JsonArray("short", string.Concat(Enumerable.Repeat(" word", 9_000))), maxTokens: 4));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        JsonElement error = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error");
        Assert.Equal(("context_length_exceeded", "prompt[1]"), (error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));
    }

    private static JsonObject Request(JsonNode prompt, int maxTokens) =>
        new() { ["model"] = Chat.Model, ["prompt"] = prompt, ["temperature"] = 0, ["max_tokens"] = maxTokens };

    private static JsonElement[] Choices(JsonElement body) => [.. body.GetProperty("choices").EnumerateArray()];

    private static string Text(JsonElement choice) => choice.GetProperty("text").GetString()!;

    private static (string[] Tokens, double?[] Logprobs) Logprobs(JsonElement choice)
    {
        JsonElement logprobs = choice.GetProperty("logprobs");
        return (
            [.. logprobs.GetProperty("tokens").EnumerateArray().Select(token => token.GetString()!)],
            [.. logprobs.GetProperty("token_logprobs").EnumerateArray().Select(value => value.ValueKind == JsonValueKind.Null ? (double?)null : value.GetDouble())]);
    }

    private async Task<int[]> TokensAsync(string text)
    {
        using HttpResponseMessage response = await _platform.Client.PostAsJsonAsync("/tokenize", new JsonObject { ["model"] = Chat.Model, ["prompt"] = text });
        JsonElement body = await response.Content.ReadFromJsonAsync<JsonElement>();
        return [.. body.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt32())];
    }

    private async Task<JsonElement> PostAsync(JsonObject request)
    {
        using HttpResponseMessage response = await _platform.Client.PostAsJsonAsync(Route, request);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }
}
