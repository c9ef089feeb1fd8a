using System.Buffers;
using System.Text.Json;
using Serving.Gateway.Http;

namespace Serving.Gateway.Chat.Stored;

/// <summary>Reads whether a chat is to be stored: OpenAI's <c>store</c>.</summary>
internal static class KeepingReader
{
    /// <summary>Null: it is not.</summary>
    public static ChatKeeping? Read(RequestFields fields, StoredChats chats, string tenant)
    {
        if (fields.Boolean("store") != true || !fields.TryGet("messages", out var messages))
        {
            return null;
        }

        var sent = new ArrayBufferWriter<byte>();
        try
        {
            using var json = new Utf8JsonWriter(sent, ApiJson.WriterOptions);
            messages.WriteTo(json);
        }
        catch (InvalidOperationException)
        {
            fields.Fail("messages", "has half of a surrogate pair, so it cannot be stored: its text is no valid Unicode.");
        }

        return new ChatKeeping(chats, tenant, MetadataReader.Read(fields), sent.WrittenMemory);
    }
}
