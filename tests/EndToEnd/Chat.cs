using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serving.EndToEnd;

/// <summary>Plain HTTP against the chat endpoint: what a user's curl does.</summary>
internal static class Chat
{
    public const string Route = "/v1/chat/completions";
    public const string Model = "smollm2-135m-instruct";
    public const string Question = "What is the capital of France?";
    public const string Answer = "The capital of France is Paris.";

    public static JsonObject Request(string question = Question, bool stream = false, int maxTokens = 64)
    {
        JsonObject request = new()
        {
            ["model"] = Model,
            ["temperature"] = 0,
            ["max_tokens"] = maxTokens,
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
        };
        if (stream)
        {
            request["stream"] = true;
        }

        return request;
    }

    public static Task<HttpResponseMessage> PostAsync(HttpClient client, JsonObject request, CancellationToken cancellation = default)
    {
        HttpRequestMessage message = new(HttpMethod.Post, Route) { Content = JsonContent.Create(request) };
        return client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    public static async Task<(string Text, string Finish)> AskAsync(HttpClient client, JsonObject request)
    {
        JsonObject choice = await ChoiceAsync(client, request);
        return ((string)choice["message"]!["content"]!, (string)choice["finish_reason"]!);
    }

    /// <summary>The first choice of a whole answer.</summary>
    public static async Task<JsonObject> ChoiceAsync(HttpClient client, JsonObject request)
    {
        using HttpResponseMessage response = await PostAsync(client, request);
        string body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, body);
        return JsonNode.Parse(body)!["choices"]![0]!.AsObject();
    }

    /// <summary>The data lines of a stream, <c>[DONE]</c> included.</summary>
    public static async IAsyncEnumerable<string> EventsAsync(HttpResponseMessage response)
    {
        using StreamReader reader = new(await response.Content.ReadAsStreamAsync());
        while (await reader.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                yield return line["data: ".Length..];
            }
        }
    }

    public static string DeltaText(string data) =>
        JsonDocument.Parse(data).RootElement.GetProperty("choices") is { } choices && choices.GetArrayLength() > 0
            && choices[0].GetProperty("delta").TryGetProperty("content", out JsonElement content)
            ? content.GetString() ?? ""
            : "";
}
