using Serving.Contracts.Internal;

namespace Serving.Gateway.Generation;

/// <summary>One prompt, in whichever form it came.</summary>
/// <param name="TokensEstimate">About how many tokens it has, for placement.</param>
/// <param name="SetIn">Makes it the prompt of a request to a worker.</param>
internal sealed record Prompt(int TokensEstimate, Action<CompletionRequest> SetIn)
{
    /// <summary>Text of natural languages and code has three to four bytes a token; too many is safer than too few.</summary>
    private const int BytesPerToken = 3;

    public static Prompt Of(ChatPrompt chat) => new(Estimate(chat.MessagesJson.Length + chat.ToolsJson.Length), request => request.Chat = chat);

    public static Prompt Of(string text) => new(Estimate(text.Length), request => request.Text = text);

    public static Prompt Of(TokenPrompt tokens) => new(tokens.Ids.Count, request => request.Tokens = tokens);

    private static int Estimate(int bytes) => (bytes / BytesPerToken) + 1;
}
