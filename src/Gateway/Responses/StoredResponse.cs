using System.Text.Json.Serialization;

namespace Serving.Gateway.Responses;

/// <summary>What is known of a stored response beside its contents: the response itself and the items that it answers.</summary>
/// <param name="Status">As the response has it; it leads where the two differ.</param>
internal sealed record StoredResponse(string Status);

/// <summary>JSON of the documents.</summary>
[JsonSerializable(typeof(StoredResponse))]
internal sealed partial class StoredResponseJson : JsonSerializerContext;
