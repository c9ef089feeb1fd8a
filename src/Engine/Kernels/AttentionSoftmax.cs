using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Serving.Engine.Kernels;

/// <summary>Turns the scores of a part into weights relative to their maximum.</summary>
internal static unsafe class AttentionSoftmax
{
    private const int Lanes = VectorMath.Lanes;

    /// <summary>Overwrites the part's scores with weights, zero where a query does not see a key, and sets the maxima and sums of its result.</summary>
    public static void Apply(in AttentionPart part)
    {
        float* scores = part.Scratch.Scores;
        int first = part.FirstKey - part.RangeStart;
        int end = part.EndKey - part.RangeStart;
        for (int query = 0; query < part.QueryCount; query++, scores += AttentionPart.RangeKeys)
        {
            (int from, int to) = part.KeysOf(query);
            if (from >= to)
            {
                new Span<float>(scores + first, end - first).Clear();
                part.Result.Maxima[query] = float.MinValue;
                part.Result.Sums[query] = 0;
                continue;
            }

            bool isScaled = part.Kv.Layout.ScalesPerHead != 0;
            if (isScaled)
            {
                Multiply(scores + from, part.Scratch.KeyScales + from, to - from);
            }

            // Whole vectors, and what is too much in them does not count.
            int wholeFrom = from & -Lanes;
            int wholeTo = (to + Lanes - 1) & -Lanes;
            new Span<float>(scores + wholeFrom, from - wholeFrom).Fill(float.NegativeInfinity);
            new Span<float>(scores + to, wholeTo - to).Fill(float.NegativeInfinity);
            if (part.Shape.Softcap != 0)
            {
                Bend(scores + from, to - from, part.Shape.Softcap);
            }

            part.Result.Maxima[query] = Weigh(scores + wholeFrom, wholeTo - wholeFrom, out part.Result.Sums[query]);
            if (isScaled)
            {
                Multiply(scores + from, part.Scratch.ValueScales + from, to - from);
            }

            new Span<float>(scores + first, Math.Max(0, wholeFrom - first)).Clear();
            new Span<float>(scores + wholeTo, Math.Max(0, end - wholeTo)).Clear();
        }
    }

    private static void Multiply(float* numbers, float* factors, int count)
    {
        int i = 0;
        for (; i <= count - Lanes; i += Lanes)
        {
            (Vector256.Load(numbers + i) * Vector256.Load(factors + i)).Store(numbers + i);
        }

        for (; i < count; i++)
        {
            numbers[i] *= factors[i];
        }
    }

    /// <summary>Scores become <c>softcap · tanh(score / softcap)</c>.</summary>
    private static void Bend(float* scores, int count, float softcap)
    {
        int i = 0;
        for (; i <= count - Lanes; i += Lanes)
        {
            (VectorMath.Tanh(Vector256.Load(scores + i) / Vector256.Create(softcap)) * Vector256.Create(softcap)).Store(scores + i);
        }

        for (; i < count; i++)
        {
            scores[i] = VectorMath.Tanh(Vector256.Create(scores[i] / softcap)).ToScalar() * softcap;
        }
    }

    /// <summary>Scores become <c>e^(score − maximum)</c>, zero where they are minus infinity.</summary>
    /// <param name="count">A multiple of eight.</param>
    /// <returns>The maximum.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Weigh(float* scores, int count, out float sum)
    {
        Vector256<float> highest = Vector256.Create(float.MinValue);
        for (int i = 0; i < count; i += Lanes)
        {
            highest = Vector256.MaxNative(highest, Vector256.Load(scores + i));
        }

        float maximum = VectorMath.Largest(Vector128.MaxNative(highest.GetLower(), highest.GetUpper()));
        Vector256<float> total = Vector256<float>.Zero;
        for (int i = 0; i < count; i += Lanes)
        {
            Vector256<float> score = Vector256.Load(scores + i);
            Vector256<float> weight = VectorMath.Exp(score - Vector256.Create(maximum));
            weight = Vector256.ConditionalSelect(Vector256.Equals(score, Vector256.Create(float.NegativeInfinity)), Vector256<float>.Zero, weight);
            weight.Store(scores + i);
            total += weight;
        }

        sum = VectorMath.Sum(total);
        return maximum;
    }
}
