using System.Diagnostics.CodeAnalysis;

namespace Serving.Worker.Models;

/// <summary>The models that a worker serves at the moment; none while they load.</summary>
internal interface IModelSet
{
    IReadOnlyList<ModelRuntime> Models { get; }

    bool TryGet(string name, [NotNullWhen(true)] out ModelRuntime? model);
}
