using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Serving.Engine.Kernels;

/// <summary>
/// A row of activations as int8 in blocks of 32: 32 bytes, the scale (largest magnitude ÷ 127) and the sum of the block's values, as the term of a
/// weight's minimum needs it. What a block becomes depends on that block alone.
/// </summary>
internal static unsafe class QuantizedRow
{
    public const int BlockInputs = 32;
    public const int ScaleOffset = 32;
    public const int SumOffset = 36;
    public const int BlockBytes = 40;

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
        float scale = magnitude / 127f;

        // A block so small that the inverse would overflow counts as zero.
        Vector256<float> inverse = Vector256.Create(magnitude < 1e-30f ? 0f : 127f / magnitude);
        Vector256<int> q0 = Vector256.ConvertToInt32(Vector256.Round(x0 * inverse));
        Vector256<int> q1 = Vector256.ConvertToInt32(Vector256.Round(x1 * inverse));
        Vector256<int> q2 = Vector256.ConvertToInt32(Vector256.Round(x2 * inverse));
        Vector256<int> q3 = Vector256.ConvertToInt32(Vector256.Round(x3 * inverse));
        Vector256.Narrow(Vector256.Narrow(q0, q1), Vector256.Narrow(q2, q3)).Store((sbyte*)destination);
        *(float*)(destination + ScaleOffset) = scale;
        *(float*)(destination + SumOffset) = Vector256.Sum(q0 + q1 + q2 + q3) * scale;
    }
}
