using System.Text.Json;

namespace Serving.Gateway.Chat;

/// <summary>What <c>chat.completion</c> and <c>chat.completion.chunk</c> begin with.</summary>
internal static class ChatJson
{
    public static void WriteId(this Utf8JsonWriter json, ChatAnswerId id, string objectName)
    {
        json.WriteString("id"u8, id.Id);
        json.WriteString("object"u8, objectName);
        json.WriteNumber("created"u8, id.Stamp.Created);
        json.WriteString("model"u8, id.Stamp.Model);
        json.WriteString("system_fingerprint"u8, id.Stamp.SystemFingerprint);
        if (id.ServiceTier is { } tier)
        {
            json.WriteString("service_tier"u8, tier);
        }
    }
}
