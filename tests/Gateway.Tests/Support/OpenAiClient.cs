using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using OpenAI;
using OpenAI.Chat;

namespace Serving.Gateway.Tests.Support;

/// <summary>OpenAI's own .NET client, unmodified, pointed at the gateway.</summary>
internal sealed class OpenAiClient(TestGateway gateway) : IDisposable
{
    private static readonly ChatMessage[] _messages = [new SystemChatMessage("Be brief."), new UserChatMessage("What is the capital of France?")];

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });

    /// <summary>Of the last answer.</summary>
    public ChatTokenUsage? Usage { get; private set; }

    private ChatClient Chat => new(
        Workers.Model,
        new ApiKeyCredential("sk-not-needed-here"),
        new OpenAIClientOptions
        {
            Endpoint = new Uri(gateway.Address, "/v1"),
            Transport = new HttpClientPipelineTransport(_http),
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
        });

    public async Task<string> ChatAsync()
    {
        ChatCompletion completion = await Chat.CompleteChatAsync(_messages, cancellationToken: TestTime.Limit());
        Usage = completion.Usage;
        return completion.Content[0].Text;
    }

    public async Task<string> StreamAsync()
    {
        var text = new StringBuilder();
        await foreach (var update in Chat.CompleteChatStreamingAsync(_messages, cancellationToken: TestTime.Limit()))
        {
            foreach (var part in update.ContentUpdate)
            {
                text.Append(part.Text);
            }

            Usage = update.Usage ?? Usage;
        }

        return text.ToString();
    }

    public void Dispose() => _http.Dispose();
}
