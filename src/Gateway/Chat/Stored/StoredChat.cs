using System.Text.Json.Serialization;

namespace Serving.Gateway.Chat.Stored;

/// <summary>What stored chat completions are looked for by; the completion and its messages are the document's contents.</summary>
/// <param name="Model">The served model's name, as the completion has it.</param>
/// <param name="Metadata">The client's labels.</param>
internal sealed record StoredChat(string Model, Dictionary<string, string> Metadata);

/// <summary>JSON of the documents.</summary>
[JsonSerializable(typeof(StoredChat))]
internal sealed partial class StoredChatJson : JsonSerializerContext;
