namespace Serving.Engine.Models;

/// <summary>A weight vector of a model (a norm, a bias), its length checked.</summary>
/// <param name="Index">Its place in <see cref="ModelGraph.Vectors"/>.</param>
/// <param name="Name">The tensor that it is, or is a part of.</param>
/// <param name="Read">Gives its values.</param>
public sealed record VectorWeight(int Index, string Name, int Length, Func<float[]> Read);
