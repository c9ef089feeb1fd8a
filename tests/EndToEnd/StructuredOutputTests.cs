using System.ClientModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenAI;
using OpenAI.Chat;
using Serving.TestKit;

namespace Serving.EndToEnd;

/// <summary>Answers of a real model that are held to a form.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class StructuredOutputTests(SharedPlatform shared)
{
    private readonly Platform _platform = shared.Platform;

    [Fact]
    public async Task The_OpenAI_NET_client_gets_what_its_schema_says()
    {
        ChatClient client = new(
            Chat.Model, new ApiKeyCredential("unused-on-loopback"), new OpenAIClientOptions { Endpoint = new Uri(_platform.BaseAddress, "/v1") });
        const string schema = """{"type":"object","properties":{"capital":{"type":"string","maxLength":20},"country":{"enum":["France","Spain"]}},"required":["capital","country"],"additionalProperties":false}""";
        ChatCompletionOptions options = new()
        {
            Temperature = 0,
            ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("capital", BinaryData.FromString(schema), jsonSchemaIsStrict: true),
        };

        ChatCompletion completion = await client.CompleteChatAsync([new UserChatMessage(Chat.Question)], options);

        JsonElement answer = JsonDocument.Parse(completion.Content[0].Text).RootElement;
        Assert.Equal("France", answer.GetProperty("country").GetString());
        Assert.Equal(ChatFinishReason.Stop, completion.FinishReason);
    }

    [Theory]
    [InlineData("guided_choice", """["Paris","Berlin"]""", "^(Paris|Berlin)$")]
    [InlineData("guided_regex", """ "[A-Z][a-z]{2,9}, [0-9]{4}" """, "^[A-Z][a-z]{2,9}, [0-9]{4}$")]
    [InlineData("guided_grammar", """ "root ::= word (\" \" word){2}\nword ::= [a-z]{1,8}" """, "^[a-z]{1,8}( [a-z]{1,8}){2}$")]
    [InlineData("guided_json", """{"type":"array","items":{"type":"integer","minimum":1,"maximum":9},"minItems":3,"maxItems":3}""", "^\\[[1-9](, ?[1-9]|,[1-9]){2}\\]$")]
    public async Task Guided_answers_have_their_form_streamed_or_not(string field, string value, string form)
    {
        JsonObject request = Chat.Request();
        request[field] = JsonNode.Parse(value);
        request["n"] = 2;
        request["temperature"] = 1;
        request["seed"] = 5;
        string text = (await Chat.AskAsync(_platform.Client, request)).Text;
        Assert.Matches(form, text);

        request["stream"] = true;
        request["n"] = 1;
        using HttpResponseMessage response = await Chat.PostAsync(_platform.Client, request);
        string streamed = "";
        await foreach (string data in Chat.EventsAsync(response))
        {
            streamed += data == "[DONE]" ? "" : Chat.DeltaText(data);
        }

        Assert.Equal(text, streamed);
    }

    [Fact]
    public async Task Any_JSON_object_parses()
    {
        JsonObject request = Chat.Request("Describe a cat as JSON.", maxTokens: 256);
        request["response_format"] = new JsonObject { ["type"] = "json_object" };
        request["temperature"] = 0.8;
        request["seed"] = 1;
        (string text, string finish) = await Chat.AskAsync(_platform.Client, request);
        Assert.StartsWith("{", text, StringComparison.Ordinal);
        if (finish == "stop")
        {
            Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(text).RootElement.ValueKind);
        }
    }
}
