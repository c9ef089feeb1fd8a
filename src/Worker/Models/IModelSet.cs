using System.Diagnostics.CodeAnalysis;
using Serving.Worker.Embeddings;

namespace Serving.Worker.Models;

/// <summary>The models that a worker serves at the moment; none while they load.</summary>
internal interface IModelSet
{
    /// <summary>Those that generate.</summary>
    IReadOnlyList<ModelRuntime> Models { get; }

    /// <summary>Those that embed and do nothing else.</summary>
    IReadOnlyList<SentenceEmbedder> Embedders { get; }

    bool TryGet(string name, [NotNullWhen(true)] out ModelRuntime? model);
}
