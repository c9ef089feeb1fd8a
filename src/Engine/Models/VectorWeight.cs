using Serving.Engine.Formats.Gguf;

namespace Serving.Engine.Models;

/// <summary>A weight vector of a model (a norm, a bias), its length checked.</summary>
/// <param name="Index">Its place in <see cref="ModelGraph.Vectors"/>.</param>
public sealed record VectorWeight(int Index, GgufTensor Tensor, int Length);
