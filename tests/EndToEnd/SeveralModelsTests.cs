using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serving.EndToEnd;

/// <summary>All the models of the repository on one platform, a mixture of experts among them.</summary>
public sealed class SeveralModelsTests
{
    private const string Moe = "docs-moe";
    private const string Alias = "gpt-4o-mini";

    // As recorded from the reference: tests/Engine.Tests/Fixtures/docs-moe/golden.json.
    private const string Question = "What does the `ls` command do?";
    private const string Answer = "`ls` (user command): list directory contents.";

    [Fact]
    public async Task Each_is_asked_by_its_name_and_by_its_alias()
    {
        await using Platform platform = await Platform.StartAsync("--model", "all", "--model-alias", $"{Alias}={Moe}");

        using JsonDocument models = JsonDocument.Parse(await platform.Client.GetStringAsync("/v1/models", TestContext.Current.CancellationToken));
        string[] names = [.. models.RootElement.GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString()!)];
        Assert.Contains(Chat.Model, names);
        Assert.Contains(Moe, names);

        // Together, so that both models' steps want the same threads.
        Task<(string, string)>[] answers =
        [
            Chat.AskAsync(platform.Client, Chat.Request()),
            AskAsync(platform, Moe),
            Chat.AskAsync(platform.Client, Chat.Request()),
            AskAsync(platform, Alias),
        ];
        Assert.Equal([(Chat.Answer, "stop"), (Answer, "stop"), (Chat.Answer, "stop"), (Answer, "stop")], await Task.WhenAll(answers));
    }

    private static Task<(string Text, string Finish)> AskAsync(Platform platform, string model)
    {
        JsonObject request = Chat.Request(Question, maxTokens: 40);
        request["model"] = model;
        return Chat.AskAsync(platform.Client, request);
    }
}
