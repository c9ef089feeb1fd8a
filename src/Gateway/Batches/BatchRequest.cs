namespace Serving.Gateway.Batches;

/// <summary>What a client asks of a new batch.</summary>
internal sealed record BatchRequest(string InputFileId, string Endpoint, string CompletionWindow, Dictionary<string, string> Metadata, long OutputLifeSeconds);
