namespace Serving.Engine.Sampling;

/// <summary>
/// Finds how far one has to go down an order for a count or a mass to be reached, without sorting: a radix selection. The elements' masses
/// are summed up by the leading digit of their keys, the sums are walked to the digit where the mass is reached, and only the elements with
/// that digit are looked at again for the next. All sums run by ascending index, so the cut is the same on every processor.
/// </summary>
internal sealed class RankSelection
{
    private const int DigitBits = 11;

    private readonly double[] _masses = new double[1 << DigitBits];

    /// <summary>The cut after the first <paramref name="count"/> elements; at the last one when there are no more.</summary>
    public RankCut FindCount(ReadOnlySpan<uint> keys, int count) => Find(keys, default, count);

    /// <summary>
    /// The cut after the fewest elements whose weights reach <paramref name="mass"/>; at the last one when all together do not.
    /// </summary>
    /// <param name="weights">All above 0.</param>
    public RankCut FindMass(ReadOnlySpan<uint> keys, ReadOnlySpan<float> weights, double mass) => Find(keys, weights, mass);

    /// <param name="weights">Empty: every element weighs 1.</param>
    private RankCut Find(ReadOnlySpan<uint> keys, ReadOnlySpan<float> weights, double left)
    {
        ArgumentOutOfRangeException.ThrowIfZero(keys.Length);
        var key = 0u;
        var known = 0u;
        for (var shift = 32; shift > 0;)
        {
            var bits = Math.Min(DigitBits, shift);
            shift -= bits;
            var digitMask = (1u << bits) - 1;
            var masses = _masses.AsSpan(0, 1 << bits);
            AddUp(keys, weights, key, known, shift, digitMask, masses);
            key |= (uint)Cross(masses, ref left) << shift;
            known |= digitMask << shift;
        }

        return new RankCut(key, LastIndex(keys, weights, key, left));
    }

    /// <summary>The masses of the elements whose known digits are those of <paramref name="key"/>, by their next digit.</summary>
    private static void AddUp(
        ReadOnlySpan<uint> keys, ReadOnlySpan<float> weights, uint key, uint known, int shift, uint digitMask, Span<double> masses)
    {
        masses.Clear();
        for (var i = 0; i < keys.Length; i++)
        {
            if (((keys[i] ^ key) & known) == 0)
            {
                masses[(int)((keys[i] >> shift) & digitMask)] += weights.IsEmpty ? 1 : weights[i];
            }
        }
    }

    /// <summary>The digit at which the mass is reached, or the last one taken; takes the mass before it from <paramref name="left"/>.</summary>
    private static int Cross(ReadOnlySpan<double> masses, ref double left)
    {
        var crossing = -1;
        for (var digit = 0; digit < masses.Length; digit++)
        {
            if (masses[digit] > 0)
            {
                left -= crossing < 0 ? 0 : masses[crossing];
                crossing = digit;
                if (masses[digit] >= left)
                {
                    break;
                }
            }
        }

        return crossing;
    }

    /// <summary>Among the elements with this very key, the one at which the mass is reached.</summary>
    private static int LastIndex(ReadOnlySpan<uint> keys, ReadOnlySpan<float> weights, uint key, double left)
    {
        var last = -1;
        for (var i = 0; i < keys.Length; i++)
        {
            if (keys[i] == key)
            {
                last = i;
                left -= weights.IsEmpty ? 1 : weights[i];
                if (left <= 0)
                {
                    break;
                }
            }
        }

        return last;
    }
}
