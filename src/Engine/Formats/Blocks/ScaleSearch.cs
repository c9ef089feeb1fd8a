namespace Serving.Engine.Formats.Blocks;

/// <summary>
/// Finds the scale (and minimum) of a few elements with the smallest weighted squared error. Rounding decides which level an element gets, and for given levels the best
/// scale is a least-squares solution; so a row of spacings a little finer and coarser than the elements' range is tried, each is rounded, solved and measured, and the
/// best is kept. The idea is that of ggml's K formats (ggml-quants.c).
/// </summary>
internal static class ScaleSearch
{
    private const int AffineTries = 20;
    private const float AffineStep = 0.1f;
    private const int SymmetricTries = 9;
    private const float SymmetricStep = 0.1f;

    /// <summary>Weights that let large elements count more: |x| above the root mean square of all.</summary>
    public static void WeighByMagnitude(ReadOnlySpan<float> x, Span<float> weights)
    {
        float squares = 0;
        foreach (float value in x)
        {
            squares += value * value;
        }

        float root = MathF.Sqrt(squares / x.Length);
        for (int i = 0; i < x.Length; i++)
        {
            weights[i] = root + MathF.Abs(x[i]);
        }
    }

    /// <summary>x ≈ scale · level − minimum with levels from 0 to <paramref name="levelMax"/>, scale and minimum not negative.</summary>
    public static (float Scale, float Minimum) Affine(ReadOnlySpan<float> x, ReadOnlySpan<float> weights, int levelMax)
    {
        float low = 0;
        float high = 0;
        foreach (float value in x)
        {
            low = MathF.Min(low, value);
            high = MathF.Max(high, value);
        }

        float range = high - low;
        float inverseRange = LegacyBlockEncoder.Inverse(range);
        if (inverseRange == 0)
        {
            return (0, -low);
        }

        (float scale, float minimum) best = (range / levelMax, -low);
        float bestError = AffineError(x, weights, best.scale, best.minimum, levelMax);
        for (int i = 0; i <= AffineTries; i++)
        {
            float inverse = (levelMax - 1 + (AffineStep * i)) * inverseRange;
            (float scale, float minimum) candidate = SolveAffine(x, weights, inverse, low, levelMax);
            float error = candidate.scale > 0 ? AffineError(x, weights, candidate.scale, candidate.minimum, levelMax) : float.MaxValue;
            (best, bestError) = error < bestError ? (candidate, error) : (best, bestError);
        }

        return best;
    }

    /// <summary>x ≈ scale · level with levels from −<paramref name="levelEnd"/> to <paramref name="levelEnd"/> − 1; the scale may be negative. Elements weigh by their square.</summary>
    public static float Symmetric(ReadOnlySpan<float> x, int levelEnd)
    {
        float extreme = 0;
        foreach (float value in x)
        {
            extreme = MathF.Abs(value) > MathF.Abs(extreme) ? value : extreme;
        }

        float inverseExtreme = LegacyBlockEncoder.Inverse(extreme);
        float bestScale = 0;
        float bestGain = 0;
        for (int i = -SymmetricTries; inverseExtreme != 0 && i <= SymmetricTries; i++)
        {
            // The extreme gets the lowest level, which reaches one step further than the highest.
            float inverse = -(levelEnd + (SymmetricStep * i)) * inverseExtreme;
            float products = 0;
            float squares = 0;
            for (int j = 0; j < x.Length; j++)
            {
                float relative = x[j] * inverseExtreme;
                float level = Math.Clamp(MathF.Round(x[j] * inverse), -levelEnd, levelEnd - 1);
                float weight = relative * relative;
                products += weight * relative * level;
                squares += weight * level * level;
            }

            // The error of the best scale for these levels is Σwx² − products² / squares.
            float gain = squares > 0 ? products * products / squares : 0;
            if (gain > bestGain)
            {
                (bestGain, bestScale) = (gain, products / squares * extreme);
            }
        }

        return bestScale;
    }

    /// <summary>The weighted least-squares line through the levels that rounding with this spacing gives; a minimum above 0 is held at 0.</summary>
    private static (float Scale, float Minimum) SolveAffine(ReadOnlySpan<float> x, ReadOnlySpan<float> weights, float inverse, float low, int levelMax)
    {
        double sumW = 0;
        double sumX = 0;
        double sumL = 0;
        double sumLL = 0;
        double sumXL = 0;
        for (int i = 0; i < x.Length; i++)
        {
            double level = Math.Clamp(MathF.Round((x[i] - low) * inverse), 0, levelMax);
            double weighted = weights[i] * level;
            sumW += weights[i];
            sumX += (double)weights[i] * x[i];
            sumL += weighted;
            sumLL += weighted * level;
            sumXL += weighted * x[i];
        }

        double determinant = (sumW * sumLL) - (sumL * sumL);
        if (determinant <= 0)
        {
            return (0, 0);
        }

        double scale = ((sumW * sumXL) - (sumX * sumL)) / determinant;
        double offset = ((sumLL * sumX) - (sumL * sumXL)) / determinant;
        return offset <= 0 ? ((float)scale, (float)-offset) : ((float)(sumXL / sumLL), 0);
    }

    private static float AffineError(ReadOnlySpan<float> x, ReadOnlySpan<float> weights, float scale, float minimum, int levelMax)
    {
        float inverse = LegacyBlockEncoder.Inverse(scale);
        float sum = 0;
        for (int i = 0; i < x.Length; i++)
        {
            float level = Math.Clamp(MathF.Round((x[i] + minimum) * inverse), 0, levelMax);
            float difference = (scale * level) - minimum - x[i];
            sum += weights[i] * difference * difference;
        }

        return sum;
    }
}
