using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Serving.Engine.Kernels;

/// <summary>
/// A row of activations as int8 in blocks of 32: 32 bytes, the scale (the one with the least squared error of those tried) and the sum of the block's values, as the term of a
/// weight's minimum needs it. What a block becomes depends on that block alone.
/// </summary>
internal static unsafe class QuantizedRow
{
    public const int BlockInputs = 32;
    public const int ScaleOffset = 32;
    public const int SumOffset = 36;
    public const int BlockBytes = 40;

    // Multipliers tried for a block: 127.49, 126.59, … 113.99 ÷ the largest magnitude. Each rounds the block differently; the best of sixteen has about a fifth
    // less squared error than the first alone.
    private const int Candidates = 16;
    private const float CandidateStep = 0.9f;
    private const float CandidateFirst = 127.49f;

    // A block this small counts as zero: the squares of smaller numbers are no longer normal ones.
    private const float MagnitudeMin = 1e-15f;

    public static int Blocks(int width) => (width + BlockInputs - 1) / BlockInputs;

    /// <summary>Quantises one row; a last block that is not full is filled up with zeros.</summary>
    public static void Quantize(float* x, int width, byte* destination)
    {
        int whole = width / BlockInputs * BlockInputs;
        for (int start = 0; start < whole; start += BlockInputs, destination += BlockBytes)
        {
            QuantizeBlock(x + start, destination);
        }

        if (whole < width)
        {
            float* padded = stackalloc float[BlockInputs];
            new Span<float>(padded, BlockInputs).Clear();
            new ReadOnlySpan<float>(x + whole, width - whole).CopyTo(new Span<float>(padded, BlockInputs));
            QuantizeBlock(padded, destination);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void QuantizeBlock(float* x, byte* destination)
    {
        Vector256<float> x0 = Vector256.Load(x);
        Vector256<float> x1 = Vector256.Load(x + 8);
        Vector256<float> x2 = Vector256.Load(x + 16);
        Vector256<float> x3 = Vector256.Load(x + 24);
        Vector256<float> largest = Vector256.Max(
            Vector256.Max(Vector256.Abs(x0), Vector256.Abs(x1)),
            Vector256.Max(Vector256.Abs(x2), Vector256.Abs(x3)));
        Vector128<float> four = Vector128.Max(largest.GetLower(), largest.GetUpper());
        float magnitude = MathF.Max(MathF.Max(four.GetElement(0), four.GetElement(1)), MathF.Max(four.GetElement(2), four.GetElement(3)));
        if (magnitude < MagnitudeMin)
        {
            new Span<byte>(destination, BlockBytes).Clear();
            return;
        }

        float best = -1;
        float multiplier = 0;
        for (int candidate = 0; candidate < Candidates; candidate++)
        {
            float tried = (CandidateFirst - (candidate * CandidateStep)) / magnitude;
            Vector256<float> factor = Vector256.Create(tried);
            Vector256<float> r0 = Vector256.Round(x0 * factor);
            Vector256<float> r1 = Vector256.Round(x1 * factor);
            Vector256<float> r2 = Vector256.Round(x2 * factor);
            Vector256<float> r3 = Vector256.Round(x3 * factor);
            float explained = Explained(Dot(x0, x1, x2, x3, r0, r1, r2, r3), Dot(r0, r1, r2, r3, r0, r1, r2, r3));
            if (explained > best)
            {
                best = explained;
                multiplier = tried;
            }
        }

        Vector256<float> inverse = Vector256.Create(multiplier);
        Vector256<float> f0 = Vector256.Round(x0 * inverse);
        Vector256<float> f1 = Vector256.Round(x1 * inverse);
        Vector256<float> f2 = Vector256.Round(x2 * inverse);
        Vector256<float> f3 = Vector256.Round(x3 * inverse);
        float scale = Dot(x0, x1, x2, x3, f0, f1, f2, f3) / Dot(f0, f1, f2, f3, f0, f1, f2, f3);
        Vector256<int> q0 = Vector256.ConvertToInt32(f0);
        Vector256<int> q1 = Vector256.ConvertToInt32(f1);
        Vector256<int> q2 = Vector256.ConvertToInt32(f2);
        Vector256<int> q3 = Vector256.ConvertToInt32(f3);
        Vector256.Narrow(Vector256.Narrow(q0, q1), Vector256.Narrow(q2, q3)).Store((sbyte*)destination);
        *(float*)(destination + ScaleOffset) = scale;
        *(float*)(destination + SumOffset) = Vector256.Sum(q0 + q1 + q2 + q3) * scale;
    }

    /// <summary>How much of Σx² the scale Σxq ÷ Σq², the best one for q, explains: Σx² less this is the squared error.</summary>
    private static float Explained(float product, float square) => product / square * product;

    private static float Dot(
        Vector256<float> a0,
        Vector256<float> a1,
        Vector256<float> a2,
        Vector256<float> a3,
        Vector256<float> b0,
        Vector256<float> b1,
        Vector256<float> b2,
        Vector256<float> b3) =>
        VectorMath.Sum(Vector256.FusedMultiplyAdd(a3, b3, Vector256.FusedMultiplyAdd(a2, b2, Vector256.FusedMultiplyAdd(a1, b1, a0 * b0))));
}
