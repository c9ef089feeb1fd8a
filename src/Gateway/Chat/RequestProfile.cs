using Google.Protobuf;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Chat;

/// <summary>What the gateway knows of a request after reading its body once.</summary>
/// <param name="Model">The name as the client wrote it, not resolved.</param>
/// <param name="MessagesJson">The messages in canonical JSON: validated, known fields only.</param>
/// <param name="Stream">The client wants chunks.</param>
/// <param name="IncludeUsage">The client wants a usage chunk at the end of the stream.</param>
/// <param name="Choices">Answers to be given.</param>
/// <param name="BestOf">Answers to be computed, of which the best are given.</param>
internal sealed record RequestProfile(
    string Model,
    ByteString MessagesJson,
    SamplingParameters Sampling,
    StopConditions Stop,
    bool Stream,
    bool IncludeUsage,
    int Choices,
    int BestOf)
{
    /// <summary>Who goes first.</summary>
    public Priority Priority { get; init; }

    /// <summary>The <c>service_tier</c> that the answer names; null where the request named none.</summary>
    public string? ServiceTier { get; init; }

    /// <summary>Variables for the chat template, a JSON object; empty: none.</summary>
    public ByteString TemplateArgumentsJson { get; init; } = ByteString.Empty;

    /// <summary>Only requests with the same salt share computed KV blocks (vLLM's <c>cache_salt</c>).</summary>
    public string CacheSalt { get; init; } = "";

    /// <summary>What may be called, and how.</summary>
    public ToolRequest Tools { get; init; } = ToolRequest.None;

    /// <summary>What the answer's text must be; null: anything.</summary>
    public Constraint? Constraint { get; init; }

    /// <summary>Text of natural languages and code has three to four bytes a token; too many is safer than too few.</summary>
    private const int BytesPerToken = 3;

    public int PromptTokensEstimate => ((MessagesJson.Length + Tools.Json.Length) / BytesPerToken) + 1;
}
