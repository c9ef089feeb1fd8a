namespace Serving.Engine.Models;

/// <summary>How a layer turns queries and keys by their position (Su et al., RoFormer, arXiv 2104.09864).</summary>
/// <param name="Index">Its place in <see cref="ModelGraph.Ropes"/>.</param>
/// <param name="Dims">Leading elements of a head that are turned.</param>
/// <param name="Theta">The base of the frequencies.</param>
/// <param name="Interleaved">Whether neighbours (2i, 2i+1) form a pair, or (i, i + Dims/2).</param>
/// <param name="FrequencyFactors">Divisors of the frequencies, one a pair (Llama 3's long context), or null.</param>
public sealed record RopeSpec(int Index, int Dims, float Theta, bool Interleaved, VectorWeight? FrequencyFactors);
