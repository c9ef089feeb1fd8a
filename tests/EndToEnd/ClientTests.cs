using System.ClientModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;
using Serving.TestKit;

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
        string node = Environment.GetEnvironmentVariable("SERVING_TEST_NODE") is { Length: > 0 } path ? path : "node";
        string folder = Path.Combine(Repository.Root, "tests", "EndToEnd", "node");
        Assert.SkipUnless(Directory.Exists(Path.Combine(folder, "node_modules", "openai")), "npm ci has not been run in tests/EndToEnd/node: ./test.sh does it");
        using Process process = Process.Start(new ProcessStartInfo(node, ["chat.mjs", new Uri(_platform.BaseAddress, "/v1").ToString()])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{output}\n{await errors}");

        JsonElement seen = JsonDocument.Parse(output).RootElement;
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
