using System.Numerics;
using System.Runtime.InteropServices;

namespace Serving.Engine.Sampling;

/// <summary>
/// Chooses a token from one row of logits. The choice depends on the row, the parameters and the position only, never on what else is
/// in the batch, and is the same on every processor. Owns its scratch and allocates nothing; one thread uses it.
/// </summary>
/// <param name="vocabularySize">Width of a row of logits.</param>
public sealed class Sampler(int vocabularySize)
{
    private readonly TokenWeights _weights = new(vocabularySize);
    private readonly NucleusFilter _nucleus = new(vocabularySize);

    /// <summary>Chooses the token at <paramref name="position"/> (its index in the sequence, the prompt included).</summary>
    /// <returns>False when the row holds NaN or +∞ or no finite number: the model's output is broken and nothing can be chosen.</returns>
    public bool TrySample(ReadOnlySpan<float> logits, in SamplingParameters parameters, long position, out int tokenId)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(logits.Length, vocabularySize);
        tokenId = -1;
        var largest = Largest(logits);
        if (!float.IsFinite(largest))
        {
            return false;
        }

        tokenId = parameters.IsGreedy ? logits.IndexOf(largest) : Draw(logits, largest, parameters, position);
        return true;
    }

    private int Draw(ReadOnlySpan<float> logits, float largest, in SamplingParameters parameters, long position)
    {
        _weights.Fill(logits, largest, parameters.Temperature);
        var cut = parameters.TopP < 1 ? _nucleus.Find(_weights.Values, parameters.TopP) : TokenCut.None;
        return Pick(_weights.Values, cut, Philox.Uniform(parameters.Seed, parameters.Choice, position));
    }

    /// <summary>
    /// The token at which the kept mass, added up by ascending id, passes the fraction <paramref name="uniform"/> of its total.
    /// </summary>
    private static int Pick(ReadOnlySpan<float> weights, TokenCut cut, double uniform)
    {
        var total = 0.0;
        for (var id = 0; id < weights.Length; id++)
        {
            total += cut.Keeps(weights[id], id) ? weights[id] : 0;
        }

        var target = uniform * total;
        var sum = 0.0;
        var chosen = -1;
        for (var id = 0; id < weights.Length; id++)
        {
            if (weights[id] == 0 || !cut.Keeps(weights[id], id))
            {
                continue;
            }

            chosen = id;
            sum += weights[id];
            if (sum > target)
            {
                break;
            }
        }

        return chosen;
    }

    /// <summary>The largest logit; NaN when the row holds one. A maximum does not depend on the order of comparison.</summary>
    private static float Largest(ReadOnlySpan<float> logits)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var largest = float.NegativeInfinity;
        if (vectors.Length > 0)
        {
            var lanes = vectors[0];
            foreach (var vector in vectors)
            {
                lanes = Vector.Max(lanes, vector);
            }

            for (var lane = 0; lane < Vector<float>.Count; lane++)
            {
                largest = MathF.Max(largest, lanes[lane]);
            }
        }

        foreach (var logit in logits[(vectors.Length * Vector<float>.Count)..])
        {
            largest = MathF.Max(largest, logit);
        }

        return largest;
    }
}
