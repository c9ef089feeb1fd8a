using System.Text.Json.Serialization;

namespace Serving.Cli.Hub;

/// <summary>Answer of <c>/api/models/OWNER/NAME/revision/REVISION</c>.</summary>
internal sealed record HubRevision(string? Sha);

/// <summary>One entry of <c>/api/models/OWNER/NAME/tree/COMMIT</c>.</summary>
/// <param name="Oid">The git object; of a file in large-file storage the pointer's, which says nothing of the content.</param>
internal sealed record HubEntry(string? Type, string? Path, long Size, string? Oid, HubLargeFile? Lfs);

/// <param name="Oid">SHA-256 of the content.</param>
internal sealed record HubLargeFile(string? Oid, long Size);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(HubRevision))]
[JsonSerializable(typeof(HubEntry[]))]
internal sealed partial class HubJson : JsonSerializerContext;
