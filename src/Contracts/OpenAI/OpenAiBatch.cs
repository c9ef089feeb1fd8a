namespace Serving.Contracts.OpenAI;

/// <summary>A batch, as <c>/v1/batches</c> shows it. Times are Unix seconds; what has not happened is null and not written.</summary>
public sealed record OpenAiBatch
{
    /// <summary><c>batch_…</c></summary>
    public required string Id { get; init; }

    public string Object { get; } = "batch";

    /// <summary>The route of every request in it: <c>/v1/chat/completions</c>.</summary>
    public required string Endpoint { get; init; }

    /// <summary>The model of its first request.</summary>
    public string? Model { get; init; }

    /// <summary>Why it was not begun.</summary>
    public OpenAiBatchErrors? Errors { get; init; }

    public required string InputFileId { get; init; }

    /// <summary><c>24h</c></summary>
    public required string CompletionWindow { get; init; }

    /// <summary>One of <see cref="OpenAiBatchStatus"/>.</summary>
    public required string Status { get; init; }

    /// <summary>The file with the answers, once the batch has ended with some.</summary>
    public string? OutputFileId { get; init; }

    /// <summary>The file with the requests that failed or were not run, once the batch has ended with some.</summary>
    public string? ErrorFileId { get; init; }

    public required long CreatedAt { get; init; }

    public long? InProgressAt { get; init; }

    public required long ExpiresAt { get; init; }

    public long? FinalizingAt { get; init; }

    public long? CompletedAt { get; init; }

    public long? FailedAt { get; init; }

    public long? ExpiredAt { get; init; }

    public long? CancellingAt { get; init; }

    public long? CancelledAt { get; init; }

    public OpenAiBatchCounts RequestCounts { get; init; } = new(0, 0, 0);

    /// <summary>Tokens of all answers.</summary>
    public OpenAiBatchUsage? Usage { get; init; }

    public required Dictionary<string, string> Metadata { get; init; }
}

/// <summary>What is wrong with a batch's input.</summary>
public sealed record OpenAiBatchErrors(IReadOnlyList<OpenAiBatchError> Data)
{
    public string Object { get; } = "list";
}

/// <param name="Line">The line of the input file, from 1; null: the file as a whole.</param>
public sealed record OpenAiBatchError(string Code, string Message, string? Param, int? Line);

/// <param name="Total">Requests in the input.</param>
/// <param name="Completed">Those that were answered.</param>
/// <param name="Failed">Those that were answered with an error.</param>
public sealed record OpenAiBatchCounts(int Total, int Completed, int Failed);

/// <summary>Tokens, by the names of the Responses API.</summary>
public sealed record OpenAiBatchUsage(long InputTokens, OpenAiInputDetails InputTokensDetails, long OutputTokens, OpenAiOutputDetails OutputTokensDetails, long TotalTokens);

public sealed record OpenAiInputDetails(long CachedTokens);

public sealed record OpenAiOutputDetails(long ReasoningTokens);

/// <summary>The values of <see cref="OpenAiBatch.Status"/>.</summary>
public static class OpenAiBatchStatus
{
    public const string Validating = "validating";
    public const string Failed = "failed";
    public const string InProgress = "in_progress";
    public const string Finalizing = "finalizing";
    public const string Completed = "completed";
    public const string Expired = "expired";
    public const string Cancelling = "cancelling";
    public const string Cancelled = "cancelled";
}
