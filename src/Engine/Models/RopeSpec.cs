namespace Serving.Engine.Models;

/// <summary>How a layer turns queries and keys by their position (Su et al., RoFormer, arXiv 2104.09864).</summary>
/// <param name="Index">Its place in <see cref="ModelGraph.Ropes"/>.</param>
/// <param name="Frequencies">Radians a position, one a pair of elements.</param>
/// <param name="Magnitude">What the turned elements are multiplied with: 1, or YaRN's temperature.</param>
/// <param name="Interleaved">Whether neighbours (2i, 2i+1) form a pair, or (i, i + half).</param>
public sealed record RopeSpec(int Index, double[] Frequencies, float Magnitude, bool Interleaved)
{
    /// <summary>Elements of a head that are turned.</summary>
    public int Dims => 2 * Frequencies.Length;
}
