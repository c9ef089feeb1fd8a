using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Serving.Contracts.OpenAI;

/// <summary>OpenAI's error object. All four members are always written, as its specification asks.</summary>
/// <param name="Message">For people: what is wrong and how to mend it.</param>
/// <param name="Type">The kind of fault: <see cref="OpenAiErrorType"/>.</param>
/// <param name="Param">The request field at fault, if one is: <c>messages[2].content</c>.</param>
/// <param name="Code">For programs: <c>model_not_found</c>.</param>
public sealed record OpenAiError(string Message, string Type, string? Param, string? Code);

/// <summary>The body of an answer that failed.</summary>
public sealed record OpenAiErrorBody(OpenAiError Error);

/// <summary>The values of <see cref="OpenAiError.Type"/> in use.</summary>
public static class OpenAiErrorType
{
    public const string InvalidRequest = "invalid_request_error";
    public const string RateLimit = "rate_limit_error";
    public const string Server = "server_error";
}

/// <summary>JSON of OpenAI's small objects; answers themselves are written token by token.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(OpenAiErrorBody))]
[JsonSerializable(typeof(OpenAiModel))]
[JsonSerializable(typeof(OpenAiModelList))]
[JsonSerializable(typeof(OpenAiFile))]
[JsonSerializable(typeof(OpenAiList<OpenAiFile>), TypeInfoPropertyName = "OpenAiFileList")]
[JsonSerializable(typeof(OpenAiDeleted))]
[JsonSerializable(typeof(JsonNode))]
[JsonSerializable(typeof(OpenAiList<JsonNode>), TypeInfoPropertyName = "JsonNodeList")]
public sealed partial class OpenAiJson : JsonSerializerContext;
