using System.ClientModel;
using System.ComponentModel;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using OpenAI;
using OpenAI.Chat;
using Serving.EndToEnd;
using ChatMessage = OpenAI.Chat.ChatMessage;
using ChatResponseFormat = OpenAI.Chat.ChatResponseFormat;

namespace Serving.Conformance;

/// <summary>
/// A chat, a stream, a tool round trip and a structured answer through clients that nobody here wrote: only the base URL is ours. Whatever they send and get is held against the
/// specification on the way.
/// </summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class ClientTests(InspectedPlatform platform) : IClassFixture<InspectedPlatform>
{
    private const string Model = "smollm2-135m-instruct";
    private const string Question = "What is the capital of France?";
    private const string Answer = "The capital of France is Paris.";
    private const string Weather = "It is sunny in Paris.";
    private const string Chats = "POST /chat/completions";
    private const string Embeddings = "POST /embeddings";
    private const string Responses = "POST /responses";
    private const string Streamed = ", streamed";

    [Fact]
    public async Task OpenAIs_Vercels_LangChains_and_Anthropics_npm_clients_chat_stream_call_tools_and_get_structured_answers()
    {
        Inspector inspector = await platform.InspectorAsync();
        JsonElement seen = await Node.RunAsync("Conformance", inspector.Api, "clients.mjs");
        foreach (JsonProperty client in seen.EnumerateObject())
        {
            Assert.False(client.Value.TryGetProperty("error", out JsonElement error), $"{client.Name}: {error}");
            Assert.Equal(Answer, client.Value.GetProperty("chat").GetString());
            Assert.Equal(Answer, client.Value.GetProperty("streamed").GetString());
            Assert.Equal(8, client.Value.GetProperty("streamedTokens").GetInt32());
            Assert.Matches("It is sunny in (Paris|Rome).", client.Value.GetProperty("toolResult").GetString());
            Assert.NotEmpty(client.Value.GetProperty("afterTool").GetString()!);
            Assert.Contains(client.Value.GetProperty("structured").GetProperty("city").GetString(), new[] { "Paris", "Rome" });
            Assert.Equal(JsonValueKind.Number, client.Value.GetProperty("structured").GetProperty("inhabitants").ValueKind);
            if (client.Value.TryGetProperty("embeddings", out JsonElement embeddings))
            {
                Assert.Equal([384, 384], embeddings.EnumerateArray().Select(width => width.GetInt32()));
            }
        }

        Assert.Equal(["openAi", "openAiResponses", "aiSdk", "langChain", "anthropic"], seen.EnumerateObject().Select(client => client.Name));
        JsonElement openAi = seen.GetProperty("openAi");
        Assert.Equal([Model, "all-minilm-l6-v2"], openAi.GetProperty("models").EnumerateArray().Select(model => model.GetString()));
        Assert.Equal("""{"status":404,"code":"model_not_found","hasRequestId":true}""", openAi.GetProperty("refusal").GetRawText());
        Assert.True(openAi.GetProperty("hasRequestId").GetBoolean());
        Assert.Equal(45, openAi.GetProperty("usage").GetProperty("total_tokens").GetInt32());
        await inspector.HeldAsync(Chats, Chats + Streamed, Responses, Responses + Streamed, Embeddings, "GET /models", "POST /messages", "POST /messages" + Streamed);
    }

    [Fact]
    public async Task OpenAIs_NET_client_chats_streams_calls_tools_and_gets_structured_answers()
    {
        Inspector inspector = await platform.InspectorAsync();
        ChatClient client = Client(inspector).GetChatClient(Model);
        ChatMessage[] question = [new UserChatMessage(Question)];
        ChatCompletionOptions options = new() { Temperature = 0 };

        ChatCompletion chat = await client.CompleteChatAsync(question, options);
        Assert.Equal((Answer, OpenAI.Chat.ChatFinishReason.Stop), (chat.Content[0].Text, chat.FinishReason));

        StringBuilder streamed = new();
        ChatTokenUsage? usage = null;
        await foreach (StreamingChatCompletionUpdate update in client.CompleteChatStreamingAsync(question, options))
        {
            streamed.AppendJoin("", update.ContentUpdate.Select(part => part.Text));
            usage = update.Usage ?? usage;
        }

        Assert.Equal((Answer, chat.Usage.TotalTokenCount), (streamed.ToString(), usage?.TotalTokenCount));

        BinaryData schema = BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string","enum":["Paris","Rome"]}},"required":["city"],"additionalProperties":false}""");
        ChatTool tool = ChatTool.CreateFunctionTool("weather", "The weather of a city", schema, functionSchemaIsStrict: true);
        List<ChatMessage> messages = [new UserChatMessage("How is the weather in Paris?")];
        ChatCompletion asked = await client.CompleteChatAsync(
            messages, new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 64, Tools = { tool }, ToolChoice = ChatToolChoice.CreateFunctionChoice("weather") });
        ChatToolCall call = Assert.Single(asked.ToolCalls);
        Assert.Contains(JsonDocument.Parse(call.FunctionArguments).RootElement.GetProperty("city").GetString(), new[] { "Paris", "Rome" });
        messages.AddRange([new AssistantChatMessage(asked), new ToolChatMessage(call.Id, Weather)]);
        ChatCompletion told = await client.CompleteChatAsync(
            messages, new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 64, Tools = { tool }, ToolChoice = ChatToolChoice.CreateNoneChoice() });
        Assert.NotEmpty(told.Content[0].Text);

        ChatCompletion structured = await client.CompleteChatAsync(
            [new UserChatMessage("Describe Paris.")],
            new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = 100, ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("city", schema, jsonSchemaIsStrict: true) });
        Assert.Contains(JsonDocument.Parse(structured.Content[0].Text).RootElement.GetProperty("city").GetString(), new[] { "Paris", "Rome" });
        await inspector.HeldAsync(Chats, Chats + Streamed);
    }

    [Fact]
    public async Task Microsoft_Extensions_AI_chats_streams_calls_tools_and_gets_structured_answers()
    {
        Inspector inspector = await platform.InspectorAsync();
        OpenAIClient openAi = Client(inspector);
        using IChatClient client = openAi.GetChatClient(Model).AsIChatClient();
        ChatOptions options = new() { Temperature = 0, MaxOutputTokens = 100 };

        Assert.Equal(Answer, (await client.GetResponseAsync(Question, options)).Text);

        List<ChatResponseUpdate> updates = [];
        await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync(Question, options))
        {
            updates.Add(update);
        }

        ChatResponse streamed = updates.ToChatResponse();
        Assert.Equal((Answer, 8), (streamed.Text, streamed.Usage?.OutputTokenCount));

        int calls = 0;
        AIFunction tool = AIFunctionFactory.Create(
            ([Description("The city")] City city) =>
            {
                calls++;
                return Weather;
            },
            "weather");
        using IChatClient calling = client.AsBuilder().UseFunctionInvocation(configure: invoking => invoking.MaximumIterationsPerRequest = 1).Build();
        ChatOptions withTool = new() { Temperature = 0, MaxOutputTokens = 100, Tools = [tool], ToolMode = ChatToolMode.RequireSpecific("weather") };
        ChatResponse round = await calling.GetResponseAsync("How is the weather in Paris?", withTool);
        Assert.Equal(1, calls);
        Assert.Contains(round.Messages, message => message.Contents.OfType<FunctionResultContent>().Any(result => result.Result?.ToString() == Weather));

        ChatResponse<Place> structured = await client.GetResponseAsync<Place>("Describe Paris.", options, useJsonSchemaResponseFormat: true);
        Assert.True(Enum.IsDefined(structured.Result.City));

        IEmbeddingGenerator<string, Embedding<float>> embedder = openAi.GetEmbeddingClient("all-minilm-l6-v2").AsIEmbeddingGenerator();
        Assert.Equal(384, (await embedder.GenerateVectorAsync(Question)).Length);
        await inspector.HeldAsync(Chats, Chats + Streamed, Embeddings);
    }

    private static OpenAIClient Client(Inspector inspector) => new(new ApiKeyCredential("unused-on-loopback"), new OpenAIClientOptions { Endpoint = inspector.Api });

    internal enum City
    {
        Paris,
        Rome,
    }

    internal sealed record Place(City City, bool IsCapital);
}
