using Serving.Contracts.Internal;

namespace Serving.Gateway.Generation;

/// <summary>One prompt, in whichever form it came.</summary>
/// <param name="TokensEstimate">About how many tokens it has, for placement.</param>
/// <param name="Param">The field of the client's request that it was made of: what an error names.</param>
/// <param name="SetIn">Makes it the prompt of a request to a worker.</param>
internal sealed record Prompt(int TokensEstimate, string Param, Action<CompletionRequest> SetIn)
{
    /// <summary>Text of natural languages and code has three to four bytes a token; too many is safer than too few.</summary>
    private const int BytesPerToken = 3;

    public static Prompt Of(ChatPrompt chat, string param) =>
        new(Estimate(chat.MessagesJson.Length + chat.ToolsJson.Length), param, request => request.Chat = chat);

    public static Prompt Of(string text, string param) => new(Estimate(text.Length), param, request => request.Text = text);

    public static Prompt Of(TokenPrompt tokens, string param) => new(tokens.Ids.Count, param, request => request.Tokens = tokens);

    /// <summary>About how many tokens an input of an embedding has.</summary>
    public static int EstimateTokens(EmbeddingInput input) =>
        input.InputCase == EmbeddingInput.InputOneofCase.Tokens ? input.Tokens.Ids.Count : Estimate(input.Text.Length);

    private static int Estimate(int bytes) => (bytes / BytesPerToken) + 1;
}
