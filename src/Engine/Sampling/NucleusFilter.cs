namespace Serving.Engine.Sampling;

/// <summary>
/// Top-p: the fewest likeliest tokens whose mass reaches p (Holtzman et al., The Curious Case of Neural Text Degeneration, ICLR 2020).
/// Sorts only the part of the vocabulary where the cut falls: weights are histogrammed by their leading bits, the histogram is walked
/// from the top, and the tokens of the bucket that crosses p are sorted. All sums run in a fixed order.
/// </summary>
internal sealed class NucleusFilter(int vocabularySize)
{
    // A weight lies in [0, 1]: its 8 exponent bits and 5 bits of fraction number the buckets, 32 to an octave.
    private const int DroppedBits = 18;
    private static readonly int BucketCount = (BitConverter.SingleToInt32Bits(1f) >> DroppedBits) + 1;

    private readonly double[] _mass = new double[BucketCount];
    private readonly float[] _negatedWeights = new float[vocabularySize];
    private readonly int[] _tokenIds = new int[vocabularySize];

    /// <summary>The cut for <paramref name="topP"/> in (0, 1).</summary>
    public TokenCut Find(ReadOnlySpan<float> weights, float topP)
    {
        Array.Clear(_mass);
        foreach (var weight in weights)
        {
            _mass[Bucket(weight)] += weight;
        }

        var total = 0.0;
        for (var bucket = BucketCount - 1; bucket >= 0; bucket--)
        {
            total += _mass[bucket];
        }

        var wanted = total * topP;
        var above = 0.0;
        var crossing = BucketCount - 1;
        while (crossing > 0 && above + _mass[crossing] < wanted)
        {
            above += _mass[crossing--];
        }

        return FindInBucket(weights, crossing, wanted - above);
    }

    private TokenCut FindInBucket(ReadOnlySpan<float> weights, int bucket, double wanted)
    {
        var count = 0;
        for (var id = 0; id < weights.Length; id++)
        {
            if (Bucket(weights[id]) == bucket)
            {
                _negatedWeights[count] = -weights[id];
                _tokenIds[count++] = id;
            }
        }

        // Span.Sort is not stable, but equal weights make an equal mass: which of them are kept follows from how many are.
        _negatedWeights.AsSpan(0, count).Sort();
        var mass = 0.0;
        var last = 0;
        while (last < count - 1 && (mass += -_negatedWeights[last]) < wanted)
        {
            last++;
        }

        return Cut(weights, bucket, count, last);
    }

    /// <summary>
    /// Names the token at index <paramref name="last"/> of the bucket's order: among equal weights the lower id comes first.
    /// </summary>
    private TokenCut Cut(ReadOnlySpan<float> weights, int bucket, int count, int last)
    {
        if (count == 0)
        {
            throw new InvalidOperationException($"Bucket {bucket} of the nucleus histogram is empty; the weights hold no mass.");
        }

        var weight = -_negatedWeights[last];
        var equalBefore = 0;
        while (last - equalBefore > 0 && _negatedWeights[last - equalBefore - 1] == -weight)
        {
            equalBefore++;
        }

        for (var i = 0; i < count; i++)
        {
            if (weights[_tokenIds[i]] == weight && equalBefore-- == 0)
            {
                return new TokenCut(weight, _tokenIds[i]);
            }
        }

        throw new InvalidOperationException("The nucleus cut names no token.");
    }

    private static int Bucket(float weight) => BitConverter.SingleToInt32Bits(weight) >> DroppedBits;
}
