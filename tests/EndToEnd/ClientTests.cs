using System.ClientModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;

namespace Serving.EndToEnd;

/// <summary>Clients that nobody here wrote, unmodified: only the base URL is ours.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class ClientTests(SharedPlatform shared)
{
    private readonly Platform _platform = shared.Platform;

    [Fact]
    public async Task The_OpenAI_NET_client_chats_and_streams()
    {
        ChatClient client = new(
            Chat.Model, new ApiKeyCredential("unused-on-loopback"), new OpenAIClientOptions { Endpoint = new Uri(_platform.BaseAddress, "/v1") });
        ChatMessage[] messages = [new UserChatMessage(Chat.Question)];
        ChatCompletionOptions options = new() { Temperature = 0 };

        ChatCompletion completion = await client.CompleteChatAsync(messages, options);
        Assert.Equal(Chat.Answer, completion.Content[0].Text);
        Assert.Equal(ChatFinishReason.Stop, completion.FinishReason);

        StringBuilder streamed = new();
        ChatTokenUsage? usage = null;
        await foreach (StreamingChatCompletionUpdate update in client.CompleteChatStreamingAsync(messages, options))
        {
            streamed.AppendJoin("", update.ContentUpdate.Select(part => part.Text));
            usage = update.Usage ?? usage;
        }

        Assert.Equal(Chat.Answer, streamed.ToString());
        Assert.Equal(completion.Usage.TotalTokenCount, usage?.TotalTokenCount);
    }

    [Fact]
    public async Task The_openai_npm_client_chats_and_streams()
    {
        JsonElement seen = await Node.RunAsync(_platform, "chat.mjs");
        Assert.Equal(Chat.Answer, seen.GetProperty("text").GetString());
        Assert.Equal(Chat.Answer, seen.GetProperty("streamed").GetString());
        Assert.Equal("stop", seen.GetProperty("finish").GetString());
        Assert.Equal(45, seen.GetProperty("usage").GetProperty("total_tokens").GetInt32());
        Assert.Equal([Chat.Model], seen.GetProperty("models").EnumerateArray().Select(model => model.GetString()));
        Assert.Equal(404, seen.GetProperty("refusal").GetProperty("status").GetInt32());
        Assert.Equal("model_not_found", seen.GetProperty("refusal").GetProperty("code").GetString());
        Assert.NotNull(seen.GetProperty("requestId").GetString());
    }

    [Fact]
    public async Task The_printed_curl_line_works()
    {
        string line = _platform.Output.Split('\n').Single(text => text.TrimStart().StartsWith("curl ", StringComparison.Ordinal)).Trim();
        using Process process = Process.Start(new ProcessStartInfo("bash", ["-c", line])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await errors);
        Assert.Contains(Chat.Answer, output);
    }
}
