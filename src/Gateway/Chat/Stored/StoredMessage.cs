using System.Text.Json.Nodes;

namespace Serving.Gateway.Chat.Stored;

/// <summary>A message of a stored completion, as the API shows it.</summary>
internal static class StoredMessage
{
    /// <summary>The id of a completion's message at a place.</summary>
    public static string Id(string completionId, int index) => $"{completionId}-{index}";

    /// <summary>
    /// The message as it was sent, with its id. Content that was sent in parts is also shown as one text, because that is what
    /// <c>content</c> is here; the parts are in <c>content_parts</c>.
    /// </summary>
    public static JsonObject Show(string completionId, int index, JsonNode sent)
    {
        var message = sent.DeepClone().AsObject();
        var parts = message["content"] as JsonArray;
        message["id"] = Id(completionId, index);
        message["content_parts"] = parts?.DeepClone();
        message.TryAdd("refusal", null);
        message["content"] = parts is null ? message["content"]?.DeepClone() : string.Concat(parts.Select(part => (string?)part?["text"]));
        return message;
    }
}
