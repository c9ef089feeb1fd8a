using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Serving.Engine.Kernels;

namespace Serving.Engine.Sampling;

/// <summary>
/// The weight of a token: its unnormalised probability exp((logit − largest) / temperature), in [0, 1]. Element by element in fixed
/// operations, so that it is the same on every processor.
/// </summary>
internal static class TokenWeight
{
    /// <summary>A logarithm at or below this has weight 0: such a token is never drawn. Near it a float is no longer normal.</summary>
    public const float LogMin = -87f;

    /// <summary>The logarithms of the weights: at most 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Log(Vector256<float> logits, float largest, float inverseTemperature) =>
        (logits - Vector256.Create(largest)) * Vector256.Create(inverseTemperature);

    /// <summary>The weights of logarithms.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Of(Vector256<float> logs) =>
        Vector256.GreaterThan(logs, Vector256.Create(LogMin)) & VectorMath.Exp(logs);

    /// <summary>The sum, in one order on every processor.</summary>
    public static double Sum(ReadOnlySpan<float> weights)
    {
        var sum = 0.0;
        foreach (var weight in weights)
        {
            sum += weight;
        }

        return sum;
    }
}
