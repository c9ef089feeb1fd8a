using System.Net;
using System.Text;
using System.Text.Json;

namespace Serving.EndToEnd;

[Collection(SharedPlatformCollection.Name)]
public sealed class BadInputTests(SharedPlatform shared)
{
    private const string Messages = """ "messages": [{"role": "user", "content": "Hi"}] """;
    private const string Model = """ "model": "smollm2-135m-instruct" """;

    private readonly Platform _platform = shared.Platform;

    [Theory]
    [InlineData("not json", HttpStatusCode.BadRequest, null)]
    [InlineData("[1, 2]", HttpStatusCode.BadRequest, null)]
    [InlineData("{" + Messages + "}", HttpStatusCode.BadRequest, "model")]
    [InlineData("{" + Model + "}", HttpStatusCode.BadRequest, "messages")]
    [InlineData("{\"model\": \"gpt-9\"," + Messages + "}", HttpStatusCode.NotFound, "model")]
    [InlineData("{\"model\": 7," + Messages + "}", HttpStatusCode.BadRequest, "model")]
    [InlineData("{" + Model + ", \"messages\": []}", HttpStatusCode.BadRequest, "messages")]
    [InlineData("{" + Model + ", \"messages\": \"Hi\"}", HttpStatusCode.BadRequest, "messages")]
    [InlineData("{" + Model + ", \"messages\": [{\"role\": \"user\", \"content\": 5}]}", HttpStatusCode.BadRequest, "messages[0].content")]
    [InlineData("{" + Model + ", \"messages\": [{\"role\": \"wizard\", \"content\": \"Hi\"}]}", HttpStatusCode.BadRequest, "messages[0].role")]
    [InlineData("{" + Model + "," + Messages + ", \"max_tokens\": -1}", HttpStatusCode.BadRequest, "max_tokens")]
    [InlineData("{" + Model + "," + Messages + ", \"temperature\": \"hot\"}", HttpStatusCode.BadRequest, "temperature")]
    [InlineData("{" + Model + "," + Messages + ", \"temperature\": 2.5}", HttpStatusCode.BadRequest, "temperature")]
    [InlineData("{" + Model + "," + Messages + ", \"top_p\": 0}", HttpStatusCode.BadRequest, "top_p")]
    [InlineData("{" + Model + "," + Messages + ", \"seed\": 1.5}", HttpStatusCode.BadRequest, "seed")]
    [InlineData("{" + Model + "," + Messages + ", \"stop\": [\"a\",\"b\",\"c\",\"d\",\"e\"]}", HttpStatusCode.BadRequest, "stop")]
    [InlineData("{" + Model + "," + Messages + ", \"stream\": \"yes\"}", HttpStatusCode.BadRequest, "stream")]
    public async Task Is_refused_with_OpenAIs_error_shape_naming_the_field(string body, HttpStatusCode status, string? param)
    {
        JsonElement error = await PostForErrorAsync(new StringContent(body, Encoding.UTF8, "application/json"), status);
        Assert.Equal(param, error.GetProperty("param").GetString());
    }

    [Fact]
    public async Task A_prompt_longer_than_the_context_is_refused_with_both_figures()
    {
        string words = string.Join(' ', Enumerable.Repeat("word", 9_000));
        JsonElement error = await PostForErrorAsync(
            new StringContent(Chat.Request(words).ToJsonString(), Encoding.UTF8, "application/json"), HttpStatusCode.BadRequest);
        Assert.Equal("context_length_exceeded", error.GetProperty("code").GetString());
        Assert.Contains("8192", error.GetProperty("message").GetString());
    }

    [Fact]
    public async Task A_body_of_ten_megabytes_is_refused()
    {
        string body = Chat.Request(new string('x', 10_000_000)).ToJsonString();
        await PostForErrorAsync(new StringContent(body, Encoding.UTF8, "application/json"), HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task A_form_is_not_json()
    {
        await PostForErrorAsync(new StringContent("a=b", Encoding.UTF8, "application/x-www-form-urlencoded"), HttpStatusCode.UnsupportedMediaType);
    }

    /// <summary>Whatever was refused, the next request is served.</summary>
    private async Task<JsonElement> PostForErrorAsync(HttpContent content, HttpStatusCode status)
    {
        using HttpResponseMessage response = await _platform.Client.PostAsync(Chat.Route, content);
        string text = await response.Content.ReadAsStringAsync();
        Assert.Equal((status, "application/json"), (response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        JsonElement error = JsonDocument.Parse(text).RootElement.GetProperty("error");
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
        Assert.NotEmpty(error.GetProperty("type").GetString()!);
        Assert.True(error.TryGetProperty("code", out _), text);

        Assert.Equal(("The", "length"), await Chat.AskAsync(_platform.Client, Chat.Request(maxTokens: 1)));
        return error;
    }
}
