using System.ClientModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenAI;
using OpenAI.Chat;

namespace Serving.EndToEnd;

/// <summary>Sampling as a client sees it, with a real model.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class SamplingTests(SharedPlatform shared)
{
    private readonly Platform _platform = shared.Platform;

    [Fact]
    public async Task The_OpenAI_NET_client_reads_log_probabilities()
    {
        ChatClient client = new(
            Chat.Model, new ApiKeyCredential("unused-on-loopback"), new OpenAIClientOptions { Endpoint = new Uri(_platform.BaseAddress, "/v1") });
        ChatCompletionOptions options = new() { Temperature = 0, IncludeLogProbabilities = true, TopLogProbabilityCount = 3 };

        ChatCompletion completion = await client.CompleteChatAsync([new UserChatMessage(Chat.Question)], options);

        Assert.Equal(Chat.Answer, string.Concat(completion.ContentTokenLogProbabilities.Select(token => token.Token)));
        Assert.All(completion.ContentTokenLogProbabilities, token =>
        {
            // Greedy: each token is the likeliest itself.
            Assert.Equal((token.Token, token.LogProbability), (token.TopLogProbabilities[0].Token, token.TopLogProbabilities[0].LogProbability));
            Assert.Equal(3, token.TopLogProbabilities.Count);
            Assert.InRange(token.TopLogProbabilities.Sum(likely => Math.Exp(likely.LogProbability)), 0, 1.0001);
        });
    }

    [Fact]
    public async Task Several_answers_are_the_ones_of_their_seed_whatever_else_runs()
    {
        JsonObject request = Drawn();
        request["n"] = 3;
        JsonElement answer = await AskAsync(request);
        Task[] others = [.. Enumerable.Range(0, 4).Select(i => Chat.AskAsync(_platform.Client, Chat.Request($"Tell me about the number {i}.")))];
        JsonElement again = await AskAsync(request);
        JsonElement alone = await AskAsync(Drawn());
        await Task.WhenAll(others);

        Assert.Equal([0, 1, 2], answer.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("index").GetInt32()));
        string[] texts = Texts(answer);
        Assert.Equal(3, texts.Distinct().Count());
        Assert.Equal(texts, Texts(again));
        Assert.Equal(texts[0], Texts(alone)[0]);
        Assert.Equal(
            alone.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public async Task Every_field_together_gives_an_answer_of_the_asked_length()
    {
        JsonObject request = Drawn();
        foreach ((string field, JsonNode value) in new (string, JsonNode)[]
                 {
                     ("top_k", 40), ("top_p", 0.9), ("min_p", 0.01), ("typical_p", 0.95), ("repetition_penalty", 1.1), ("frequency_penalty", 0.3),
                     ("presence_penalty", 0.3), ("logit_bias", new JsonObject { ["28"] = -100 }), ("ignore_eos", true), ("min_tokens", 20),
                     ("best_of", 3), ("logprobs", true), ("top_logprobs", 2),
                 })
        {
            request[field] = value;
        }

        JsonElement answer = await AskAsync(request);

        Assert.Equal("length", answer.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(3 * 24, answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Single(answer.GetProperty("choices").EnumerateArray());
    }

    private static JsonObject Drawn()
    {
        JsonObject request = Chat.Request("Name a colour.", maxTokens: 24);
        request["temperature"] = 1;
        request["seed"] = 11;
        return request;
    }

    private async Task<JsonElement> AskAsync(JsonObject request)
    {
        using HttpResponseMessage response = await Chat.PostAsync(_platform.Client, (JsonObject)request.DeepClone());
        string body = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, body);
        return JsonSerializer.Deserialize<JsonElement>(body);
    }

    private static string[] Texts(JsonElement answer) =>
        [.. answer.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("message").GetProperty("content").GetString()!)];
}
