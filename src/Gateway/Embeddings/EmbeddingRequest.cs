using System.Text.Json;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Embeddings;

/// <summary>What an API wants embedded, and how it answers.</summary>
/// <param name="Model">As the client wrote it; null: the only model that there is.</param>
/// <param name="Inputs">At least one.</param>
/// <param name="Write">Writes the answer's members.</param>
internal sealed record EmbeddingRequest(string? Model, IReadOnlyList<EmbeddingInput> Inputs, Action<Utf8JsonWriter, EmbeddingAnswer> Write)
{
    /// <summary>Elements that each vector is cut to; null: all of them.</summary>
    public int? Dimensions { get; init; }
}

/// <summary>The vectors of a request's inputs.</summary>
/// <param name="Vectors">In the order of the inputs, each of length 1.</param>
/// <param name="Tokens">Tokens of all inputs.</param>
/// <param name="CreatedAt">When they were asked for.</param>
internal sealed record EmbeddingAnswer(ServedModel Model, IReadOnlyList<float[]> Vectors, int Tokens, DateTimeOffset CreatedAt);
