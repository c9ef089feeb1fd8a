using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Kernels;

/// <summary>
/// The arithmetic of attention over one block of one KV head, for one query. Scores, weights and the running sum of a query depend on its own keys only
/// and are taken block by block (online softmax: Milakov and Gimelshein, arXiv 1805.02867), so a row has the same bits in every batch.
/// </summary>
internal static unsafe class AttentionTile
{
    /// <summary>Widens <paramref name="count"/> halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Widen(short* source, float* destination, int count)
    {
        int i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            HalfBits.ToSingle(Vector128.Load(source + i)).Store(destination + i);
        }

        for (; i < count; i++)
        {
            destination[i] = HalfBits.ToSingle((ushort)source[i]);
        }
    }

    /// <summary>
    /// Turns the block's keys into softmax weights relative to the running maximum and brings maximum and sum up to date.
    /// </summary>
    /// <param name="keys"><c>[slots, dim]</c>.</param>
    /// <param name="softcap">Where scores are bent to (<see cref="AttentionShape.Softcap"/>); 0: nowhere.</param>
    /// <param name="weights">Room for <paramref name="slots"/> weights, rounded up to eight.</param>
    /// <returns>What the sums so far are to be multiplied with.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Score(
        float* query, float* keys, int slots, int dim, float scale, float softcap, float* weights, ref float maximum, ref float sum)
    {
        int padded = (slots + VectorMath.Lanes - 1) & -VectorMath.Lanes;
        for (int slot = slots; slot < padded; slot++)
        {
            weights[slot] = float.NegativeInfinity;
        }

        Dots(query, keys, slots, dim, weights);
        Vector256<float> highest = Vector256.Create(float.NegativeInfinity);
        for (int slot = 0; slot < padded; slot += VectorMath.Lanes)
        {
            Vector256<float> score = Vector256.Load(weights + slot) * Vector256.Create(scale);
            if (softcap != 0)
            {
                // The unused slots stay minus infinity.
                Vector256<float> bent = VectorMath.Tanh(score / Vector256.Create(softcap)) * Vector256.Create(softcap);
                score = Vector256.ConditionalSelect(Vector256.Equals(score, Vector256.Create(float.NegativeInfinity)), score, bent);
            }

            score.Store(weights + slot);
            highest = Vector256.Max(highest, score);
        }

        float newMaximum = MathF.Max(maximum, Highest(highest));
        float correction = sum == 0 ? 0 : VectorMath.Exp(maximum - newMaximum);
        Vector256<float> total = Vector256<float>.Zero;
        for (int slot = 0; slot < padded; slot += VectorMath.Lanes)
        {
            Vector256<float> score = Vector256.Load(weights + slot);
            Vector256<float> used = Vector256.GreaterThan(score, Vector256.Create(float.NegativeInfinity));
            Vector256<float> weight = VectorMath.Exp(score - Vector256.Create(newMaximum)) & used;
            weight.Store(weights + slot);
            total += weight;
        }

        maximum = newMaximum;
        sum = MathF.FusedMultiplyAdd(sum, correction, VectorMath.Sum(total));
        return correction;
    }

    /// <summary><c>y[d] = y[d] · correction + Σ_slot weights[slot] · values[slot, d]</c>.</summary>
    /// <param name="values"><c>[slots, dim]</c>, rows <paramref name="stride"/> floats apart.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Accumulate(float* weights, float* values, int stride, int slots, int dim, float correction, float* y)
    {
        const int Step = 4 * VectorMath.Lanes;
        int d = 0;
        for (; d <= dim - Step; d += Step)
        {
            Vector256<float> y0 = Vector256.Load(y + d) * Vector256.Create(correction);
            Vector256<float> y1 = Vector256.Load(y + d + 8) * Vector256.Create(correction);
            Vector256<float> y2 = Vector256.Load(y + d + 16) * Vector256.Create(correction);
            Vector256<float> y3 = Vector256.Load(y + d + 24) * Vector256.Create(correction);
            float* value = values + d;
            for (int slot = 0; slot < slots; slot++, value += stride)
            {
                Vector256<float> weight = Vector256.Create(weights[slot]);
                y0 = Vector256.FusedMultiplyAdd(weight, Vector256.Load(value), y0);
                y1 = Vector256.FusedMultiplyAdd(weight, Vector256.Load(value + 8), y1);
                y2 = Vector256.FusedMultiplyAdd(weight, Vector256.Load(value + 16), y2);
                y3 = Vector256.FusedMultiplyAdd(weight, Vector256.Load(value + 24), y3);
            }

            y0.Store(y + d);
            y1.Store(y + d + 8);
            y2.Store(y + d + 16);
            y3.Store(y + d + 24);
        }

        for (; d <= dim - VectorMath.Lanes; d += VectorMath.Lanes)
        {
            Vector256<float> sum = Vector256.Load(y + d) * Vector256.Create(correction);
            for (int slot = 0; slot < slots; slot++)
            {
                sum = Vector256.FusedMultiplyAdd(Vector256.Create(weights[slot]), Vector256.Load(values + (slot * stride) + d), sum);
            }

            sum.Store(y + d);
        }

        for (; d < dim; d++)
        {
            y[d] *= correction;
            for (int slot = 0; slot < slots; slot++)
            {
                y[d] = MathF.FusedMultiplyAdd(weights[slot], values[(slot * stride) + d], y[d]);
            }
        }
    }

    /// <summary>Divides the sums by the sum of the weights.</summary>
    public static void Finish(float* y, int dim, float sum)
    {
        Vector256<float> divisor = Vector256.Create(sum);
        int d = 0;
        for (; d <= dim - VectorMath.Lanes; d += VectorMath.Lanes)
        {
            (Vector256.Load(y + d) / divisor).Store(y + d);
        }

        for (; d < dim; d++)
        {
            y[d] /= sum;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Dots(float* query, float* keys, int slots, int dim, float* scores)
    {
        int whole = dim & -VectorMath.Lanes;
        int slot = 0;
        for (; slot <= slots - 4; slot += 4)
        {
            float* key = keys + (slot * dim);
            Vector256<float> s0 = Vector256<float>.Zero, s1 = s0, s2 = s0, s3 = s0;
            for (int d = 0; d < whole; d += VectorMath.Lanes)
            {
                Vector256<float> q = Vector256.Load(query + d);
                s0 = Vector256.FusedMultiplyAdd(q, Vector256.Load(key + d), s0);
                s1 = Vector256.FusedMultiplyAdd(q, Vector256.Load(key + dim + d), s1);
                s2 = Vector256.FusedMultiplyAdd(q, Vector256.Load(key + (2 * dim) + d), s2);
                s3 = Vector256.FusedMultiplyAdd(q, Vector256.Load(key + (3 * dim) + d), s3);
            }

            VectorMath.Sum(s0, s1, s2, s3).Store(scores + slot);
        }

        for (; slot < slots; slot++)
        {
            Vector256<float> sum = Vector256<float>.Zero;
            for (int d = 0; d < whole; d += VectorMath.Lanes)
            {
                sum = Vector256.FusedMultiplyAdd(Vector256.Load(query + d), Vector256.Load(keys + (slot * dim) + d), sum);
            }

            scores[slot] = VectorMath.Sum(sum);
        }

        for (int d = whole; d < dim; d++)
        {
            for (slot = 0; slot < slots; slot++)
            {
                scores[slot] = MathF.FusedMultiplyAdd(query[d], keys[(slot * dim) + d], scores[slot]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Highest(Vector256<float> values)
    {
        Vector128<float> four = Vector128.Max(values.GetLower(), values.GetUpper());
        return MathF.Max(MathF.Max(four.GetElement(0), four.GetElement(1)), MathF.Max(four.GetElement(2), four.GetElement(3)));
    }
}
