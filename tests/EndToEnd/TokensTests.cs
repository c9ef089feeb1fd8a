using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serving.EndToEnd;

/// <summary><c>/tokenize</c> and <c>/detokenize</c> of a real model.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class TokensTests(SharedPlatform shared)
{
    private readonly Platform _platform = shared.Platform;

    [Theory]
    [InlineData("Hello, world! Grüße, 你好 👋")]
    [InlineData("<|im_start|> is plain text here")]
    public async Task A_prompt_survives_the_way_to_tokens_and_back(string prompt)
    {
        JsonElement tokenized = await PostAsync("/tokenize", new JsonObject { ["model"] = Chat.Model, ["prompt"] = prompt, ["return_token_strs"] = true });

        int[] tokens = Tokens(tokenized);
        Assert.Equal(tokens.Length, tokenized.GetProperty("count").GetInt32());
        Assert.Equal(tokens.Length, tokenized.GetProperty("token_strs").GetArrayLength());
        Assert.Equal(8192, tokenized.GetProperty("max_model_len").GetInt32());
        Assert.Equal(prompt, await DetokenizeAsync(tokens));
        Assert.DoesNotContain(1, tokens);
    }

    [Fact]
    public async Task Messages_have_the_tokens_that_a_chat_counts()
    {
        JsonObject request = Chat.Request(maxTokens: 1);
        using HttpResponseMessage response = await Chat.PostAsync(_platform.Client, (JsonObject)request.DeepClone());
        JsonElement answer = await response.Content.ReadFromJsonAsync<JsonElement>();
        JsonObject body = new() { ["model"] = Chat.Model, ["messages"] = request["messages"]!.DeepClone() };

        JsonElement tokenized = await PostAsync("/tokenize", body);
        body["add_generation_prompt"] = false;
        JsonElement ended = await PostAsync("/tokenize", body);

        Assert.Equal(answer.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), tokenized.GetProperty("count").GetInt32());
        string asked = $"<|im_start|>user\n{Chat.Question}<|im_end|>\n";
        Assert.EndsWith(asked + "<|im_start|>assistant\n", await DetokenizeAsync(Tokens(tokenized)), StringComparison.Ordinal);
        Assert.EndsWith(asked, await DetokenizeAsync(Tokens(ended)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_the_model_does_not_have_is_named()
    {
        using HttpResponseMessage response = await _platform.Client.PostAsJsonAsync(
            "/detokenize", new JsonObject { ["model"] = Chat.Model, ["tokens"] = new JsonArray(1, 49_152) });

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        JsonElement error = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("error");
        Assert.Equal("tokens[1]", error.GetProperty("param").GetString());
        Assert.Contains("49151", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private async Task<string> DetokenizeAsync(int[] tokens) =>
        (await PostAsync("/detokenize", new JsonObject { ["model"] = Chat.Model, ["tokens"] = new JsonArray([.. tokens.Select(token => JsonValue.Create(token))]) }))
            .GetProperty("prompt").GetString()!;

    private async Task<JsonElement> PostAsync(string route, JsonObject body)
    {
        using HttpResponseMessage response = await _platform.Client.PostAsJsonAsync(route, body);
        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    private static int[] Tokens(JsonElement tokenized) => [.. tokenized.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt32())];
}
