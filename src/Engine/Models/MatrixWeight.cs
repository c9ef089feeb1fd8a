namespace Serving.Engine.Models;

/// <summary>A weight matrix <c>[outputs, inputs]</c> of a model, its shape checked.</summary>
/// <param name="Index">Its place in <see cref="ModelGraph.Matrices"/>.</param>
/// <param name="Name">The tensor that it is, or is a part of.</param>
public sealed record MatrixWeight(int Index, string Name, int Outputs, int Inputs, MatrixData Data);
