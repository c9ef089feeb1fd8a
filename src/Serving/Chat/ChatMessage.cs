using System.Text.Json;
using System.Text.Json.Serialization;

namespace Serving.Cli.Chat;

/// <summary>One turn of a conversation.</summary>
internal sealed record ChatMessage(string Role, string Content);

/// <summary>The body of <c>POST /v1/chat/completions</c>, as far as this client uses it.</summary>
internal sealed record ChatRequest(string Model, IReadOnlyList<ChatMessage> Messages, double? Temperature, int? MaxTokens, bool Stream = true);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ChatRequest))]
internal sealed partial class ChatJson : JsonSerializerContext;
