using System.Numerics;
using System.Runtime.InteropServices;

namespace Serving.Engine.Sampling;

/// <summary>
/// Unnormalised probabilities of every token, exp((logit − largest) / temperature), in [0, 1]. The exponential is ours and goes element by
/// element without fused operations, so that it gives the same bits on every processor, which the C library's does not.
/// </summary>
internal sealed class TokenWeights(int vocabularySize)
{
    // Below exp(-87) a float is no longer normal; such a token is never drawn.
    private const float ExponentMin = -87f;
    private readonly float[] _weights = new float[vocabularySize];

    /// <summary>One weight a token id.</summary>
    public ReadOnlySpan<float> Values => _weights;

    /// <summary>Fills the weights. <paramref name="largest"/> is the largest logit.</summary>
    public void Fill(ReadOnlySpan<float> logits, float largest, float temperature)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        var results = MemoryMarshal.Cast<float, Vector<float>>(_weights.AsSpan());
        for (var i = 0; i < vectors.Length; i++)
        {
            results[i] = Exp((vectors[i] - new Vector<float>(largest)) / new Vector<float>(temperature));
        }

        for (var i = vectors.Length * Vector<float>.Count; i < logits.Length; i++)
        {
            _weights[i] = Exp(new Vector<float>((logits[i] - largest) / temperature))[0];
        }
    }

    /// <summary>
    /// exp(x) for x ≤ 0 to about 1e-7: x = k ln 2 + r with |r| ≤ ln 2 / 2, the Taylor sum of exp(r), and k added to the exponent's bits.
    /// </summary>
    private static Vector<float> Exp(Vector<float> x)
    {
        // Also turns -∞ (a masked token) into a number; the selection at the end makes it 0.
        var bounded = Vector.Max(x, new Vector<float>(ExponentMin));
        var k = Vector.Floor((bounded * 1.44269504f) + new Vector<float>(0.5f));

        // ln 2 in two parts, the first short enough that k times it is exact (Cody and Waite).
        var r = bounded - (k * 0.693359375f) + (k * 2.12194440e-4f);
        var sum = new Vector<float>(1f / 5040);
        sum = (sum * r) + new Vector<float>(1f / 720);
        sum = (sum * r) + new Vector<float>(1f / 120);
        sum = (sum * r) + new Vector<float>(1f / 24);
        sum = (sum * r) + new Vector<float>(1f / 6);
        sum = (sum * r) + new Vector<float>(0.5f);
        sum = (sum * r) + Vector<float>.One;
        sum = (sum * r) + Vector<float>.One;
        var scale = Vector.AsVectorSingle(Vector.ShiftLeft(Vector.ConvertToInt32(k) + new Vector<int>(127), 23));
        return Vector.ConditionalSelect(Vector.GreaterThan(x, new Vector<float>(ExponentMin)), sum * scale, Vector<float>.Zero);
    }
}
