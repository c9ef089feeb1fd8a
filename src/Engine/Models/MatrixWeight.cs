using Serving.Engine.Formats.Gguf;

namespace Serving.Engine.Models;

/// <summary>A weight matrix <c>[outputs, inputs]</c> of a model, its shape checked.</summary>
/// <param name="Index">Its place in <see cref="ModelGraph.Matrices"/>.</param>
public sealed record MatrixWeight(int Index, GgufTensor Tensor, int Outputs, int Inputs);
