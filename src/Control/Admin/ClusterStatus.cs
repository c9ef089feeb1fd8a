using System.Text.Json.Serialization;
using Serving.Contracts.Cluster;

namespace Serving.Control.Admin;

/// <summary>The answer of <see cref="ClusterApi.Route"/>.</summary>
/// <param name="Workers">The live workers with their last loads.</param>
/// <param name="ControlId">The control process that answers.</param>
/// <param name="IsLeader">Whether it leads.</param>
/// <param name="Term">The term that it leads in.</param>
internal sealed record ClusterStatus(IReadOnlyList<WorkerEntry> Workers, string ControlId, bool IsLeader, long? Term);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ClusterStatus))]
internal sealed partial class ControlJson : JsonSerializerContext;
