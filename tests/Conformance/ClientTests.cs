using System.ClientModel;
using System.ComponentModel;
using System.Text.Json;
using Microsoft.Extensions.AI;
using OpenAI;
using Serving.EndToEnd;

namespace Serving.Conformance;

/// <summary>A chat, a stream, a tool round trip and a structured answer through clients that nobody here wrote: only the base URL is ours.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class ClientTests(SharedPlatform shared)
{
    private const string Model = "smollm2-135m-instruct";
    private const string Question = "What is the capital of France?";
    private const string Answer = "The capital of France is Paris.";
    private const string Weather = "It is sunny in Paris.";

    [Fact]
    public async Task Vercels_LangChains_and_Anthropics_npm_clients_chat_stream_call_tools_and_get_structured_answers()
    {
        JsonElement seen = await Node.RunAsync("Conformance", shared.Platform, "clients.mjs");
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

        Assert.Equal(["aiSdk", "langChain", "anthropic"], seen.EnumerateObject().Select(client => client.Name));
    }

    [Fact]
    public async Task Microsoft_Extensions_AI_chats_streams_calls_tools_and_gets_structured_answers()
    {
        OpenAIClient openAi = new(new ApiKeyCredential("unused-on-loopback"), new OpenAIClientOptions { Endpoint = new Uri(shared.Platform.BaseAddress, "/v1") });
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
    }

    internal enum City
    {
        Paris,
        Rome,
    }

    internal sealed record Place(City City, bool IsCapital);
}
