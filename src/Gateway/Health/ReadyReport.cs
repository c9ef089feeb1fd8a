using System.Text.Json.Serialization;

namespace Serving.Gateway.Health;

/// <summary>The answer of <c>/ready</c>.</summary>
/// <param name="Status"><c>ready</c> or <c>not_ready</c>.</param>
/// <param name="Models">The models that requests may name.</param>
/// <param name="Missing">What a request would miss, for people; empty when ready.</param>
internal sealed record ReadyReport(string Status, IReadOnlyList<string> Models, IReadOnlyList<string> Missing);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ReadyReport))]
internal sealed partial class HealthJson : JsonSerializerContext;
