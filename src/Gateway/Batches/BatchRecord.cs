using System.Text.Json.Serialization;
using Serving.Contracts.OpenAI;

namespace Serving.Gateway.Batches;

/// <summary>A batch as its document is kept.</summary>
/// <param name="Shown">What clients see of it.</param>
/// <param name="OutputLifeSeconds">How long its output is kept.</param>
internal sealed record BatchRecord(OpenAiBatch Shown, long OutputLifeSeconds)
{
    /// <summary>The status that it ends with, once that is known. Its files are written then, and only what is left to do is done again after an interruption.</summary>
    public string? Ending { get; init; }

    /// <summary>The file of answers, named before it is written, so that an interrupted end writes the same file again.</summary>
    public string? OutputId { get; init; }

    /// <summary>The same of the file of errors.</summary>
    public string? ErrorId { get; init; }

    [JsonIgnore]
    public bool HasEnded => Shown.Status is OpenAiBatchStatus.Completed or OpenAiBatchStatus.Failed or OpenAiBatchStatus.Expired or OpenAiBatchStatus.Cancelled;

    [JsonIgnore]
    public bool CanBeCancelled => Shown.Status is OpenAiBatchStatus.Validating or OpenAiBatchStatus.InProgress;
}

/// <summary>A batch that has not ended, for whoever runs batches.</summary>
internal sealed record OpenBatch(string Tenant, DateTimeOffset CreatedAt);

/// <summary>JSON of batches.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BatchRecord))]
[JsonSerializable(typeof(OpenBatch))]
[JsonSerializable(typeof(OpenAiBatch))]
[JsonSerializable(typeof(OpenAiList<OpenAiBatch>), TypeInfoPropertyName = "OpenAiBatchList")]
internal sealed partial class BatchJson : JsonSerializerContext;
