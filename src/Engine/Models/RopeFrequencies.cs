namespace Serving.Engine.Models;

/// <summary>The frequencies of RoPE, in radians a position, one a pair of elements; and the ways to stretch them to longer contexts.</summary>
public static class RopeFrequencies
{
    /// <summary><c>θ^(−2i / dims)</c> (Su et al., arXiv 2104.09864).</summary>
    public static double[] Default(int dims, double theta)
    {
        var frequencies = new double[dims / 2];
        for (int pair = 0; pair < frequencies.Length; pair++)
        {
            frequencies[pair] = Math.Pow(theta, -2.0 * pair / dims);
        }

        return frequencies;
    }

    /// <summary>All divided by one factor (Chen et al., arXiv 2306.15595).</summary>
    public static double[] Linear(double[] frequencies, double factor) => Array.ConvertAll(frequencies, frequency => frequency / factor);

    /// <summary>Each divided by a factor of its own.</summary>
    /// <exception cref="ArgumentException">There are not as many factors as frequencies.</exception>
    public static double[] Divide(double[] frequencies, ReadOnlySpan<float> factors)
    {
        ArgumentNullException.ThrowIfNull(frequencies);
        if (factors.Length != frequencies.Length)
        {
            throw new ArgumentException($"{frequencies.Length} frequencies need as many factors, but {factors.Length} were given.", nameof(factors));
        }

        var divided = new double[frequencies.Length];
        for (int pair = 0; pair < divided.Length; pair++)
        {
            divided[pair] = frequencies[pair] / factors[pair];
        }

        return divided;
    }

    /// <summary>
    /// Llama 3.1's: waves longer than the original context / low factor are stretched, those shorter than the context / high factor stay, the ones between are
    /// blended (transformers' <c>rope_type: llama3</c>).
    /// </summary>
    public static double[] Llama3(double[] frequencies, double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalContext) =>
        Array.ConvertAll(frequencies, frequency =>
        {
            double wavelength = 2 * Math.PI / frequency;
            if (wavelength > originalContext / lowFrequencyFactor)
            {
                return frequency / factor;
            }

            if (wavelength < originalContext / highFrequencyFactor)
            {
                return frequency;
            }

            double smooth = ((originalContext / wavelength) - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
            return ((1 - smooth) * frequency / factor) + (smooth * frequency);
        });

    /// <summary>
    /// YaRN: pairs that turn more than <paramref name="betaFast"/> times within the original context stay, those that turn less than
    /// <paramref name="betaSlow"/> times are stretched, with a ramp between (Peng et al., arXiv 2309.00071 §3.2).
    /// </summary>
    /// <param name="theta">The base that the frequencies were made with.</param>
    /// <param name="truncate">Whether the ramp begins and ends at whole pairs.</param>
    public static double[] Yarn(
        double[] frequencies, double theta, double factor, double betaFast, double betaSlow, int originalContext, bool truncate)
    {
        ArgumentNullException.ThrowIfNull(frequencies);
        int dims = 2 * frequencies.Length;
        double low = PairThatTurns(betaFast);
        double high = PairThatTurns(betaSlow);
        if (truncate)
        {
            low = Math.Floor(low);
            high = Math.Ceiling(high);
        }

        low = Math.Max(low, 0);
        high = Math.Min(high, dims - 1);
        if (low == high)
        {
            high += 0.001; // so that the ramp has a slope
        }

        var stretched = new double[frequencies.Length];
        for (int pair = 0; pair < stretched.Length; pair++)
        {
            double ramp = Math.Clamp((pair - low) / (high - low), 0, 1);
            stretched[pair] = (frequencies[pair] / factor * ramp) + (frequencies[pair] * (1 - ramp));
        }

        return stretched;

        double PairThatTurns(double rotations) => dims * Math.Log(originalContext / (rotations * 2 * Math.PI)) / (2 * Math.Log(theta));
    }

    /// <summary>YaRN's temperature, as a factor of queries and keys (arXiv 2309.00071 §3.4): <c>0.1 · mscale · ln(factor) + 1</c>; 1 where nothing is stretched.</summary>
    public static double YarnMagnitude(double factor, double mscale = 1) => factor <= 1 ? 1 : (0.1 * mscale * Math.Log(factor)) + 1;

    /// <summary>LongRoPE's factor of queries and keys (Ding et al., arXiv 2402.13753): <c>√(1 + ln(factor) / ln(original context))</c>.</summary>
    public static double LongRopeMagnitude(double factor, int originalContext) => factor <= 1 ? 1 : Math.Sqrt(1 + (Math.Log(factor) / Math.Log(originalContext)));
}
