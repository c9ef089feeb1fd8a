using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Serving.Engine.Kernels;

/// <summary>
/// A row of activations as int8 in blocks of 32, and its outliers apart from them. A block is 32 bytes, the scale, the sum of the block's values, outliers
/// included, as the term of a weight's minimum needs it, and as 16-bit numbers the sums of the bytes of its two halves, for weights whose scales belong to
/// 16 inputs. An outlier is a value beyond four times the row's root mean square: left in its block it would widen the steps of the other 31, so the
/// block has a zero there and the row ends with a list of the quads (four neighbouring inputs) that have outliers, each with a scale of its own; one alone
/// in its quad is all but exact (the idea of LLM.int8(), Dettmers et al., arXiv 2208.07339). What a row becomes depends on that row alone.
/// </summary>
/// <remarks>The list: the count of quads, 8 bytes unused, then for each quad its number in the row, its four bytes and its scale.</remarks>
internal static unsafe class QuantizedRow
{
    public const int BlockInputs = 32;
    public const int ScaleOffset = 32;
    public const int SumOffset = 36;
    public const int HalfSumsOffset = 40;
    public const int BlockBytes = 44;
    public const int QuadInputs = 4;
    public const int OutlierBytes = 12;
    public const int OutlierQuadOffset = 4;
    public const int OutlierScaleOffset = 8;

    // Beyond this times the root mean square a value is an outlier; by Chebyshev's inequality at most one in sixteen is. Taking them out leaves SmolLM2-135M a
    // fifth of its KL divergence from fp32.
    private const float OutlierRootMeanSquares = 4;
    private const int OutlierFractionMax = 16;

    private const float QuantMax = 127;

    // A block this small counts as zero: one over its step could overflow.
    private const float MagnitudeMin = 1e-15f;

    /// <summary>Bytes of a quantised row of <paramref name="width"/> values.</summary>
    public static long ByteCount(int width) => ((long)Blocks(width) * BlockBytes) + OutlierBytes + ((long)OutliersMax(width) * OutlierBytes);

    /// <summary>Quantises one row; a last block that is not full is filled up with zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    public static void Quantize(float* x, int width, byte* destination)
    {
        float limit = OutlierRootMeanSquares * RootMeanSquare(x, width);
        byte* outliers = destination + ((long)Blocks(width) * BlockBytes);
        Outliers found = new(outliers, OutliersMax(width));
        int whole = width / BlockInputs * BlockInputs;
        for (int start = 0; start < whole; start += BlockInputs, destination += BlockBytes)
        {
            QuantizeBlock(x + start, start, limit, ref found, destination);
        }

        if (whole < width)
        {
            float* padded = stackalloc float[BlockInputs];
            new Span<float>(padded, BlockInputs).Clear();
            new ReadOnlySpan<float>(x + whole, width - whole).CopyTo(new Span<float>(padded, BlockInputs));
            QuantizeBlock(padded, whole, limit, ref found, destination);
        }

        *(int*)outliers = found.Count;
    }

    private static int Blocks(int width) => (width + BlockInputs - 1) / BlockInputs;

    private static int OutliersMax(int width) => width / OutlierFractionMax;

    private static float RootMeanSquare(float* x, int width) => MathF.Sqrt(VectorMath.SumOfSquares(x, width) / width);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static void QuantizeBlock(float* x, int start, float limit, ref Outliers outliers, byte* destination)
    {
        Vector256<float> x0 = Vector256.Load(x), x1 = Vector256.Load(x + 8), x2 = Vector256.Load(x + 16), x3 = Vector256.Load(x + 24);
        float magnitude = VectorMath.LargestMagnitude(x0, x1, x2, x3);
        if (magnitude <= limit)
        {
            QuantizeBlock(x0, x1, x2, x3, magnitude, destination);
            return;
        }

        float* rest = stackalloc float[BlockInputs];
        float sum = 0;
        for (int i = 0; i < BlockInputs; i += QuadInputs)
        {
            sum += outliers.Move(x + i, (start + i) / QuadInputs, limit, rest + i);
        }

        x0 = Vector256.Load(rest);
        x1 = Vector256.Load(rest + 8);
        x2 = Vector256.Load(rest + 16);
        x3 = Vector256.Load(rest + 24);
        QuantizeBlock(x0, x1, x2, x3, VectorMath.LargestMagnitude(x0, x1, x2, x3), destination);
        *(float*)(destination + SumOffset) += sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void QuantizeBlock(
        Vector256<float> x0, Vector256<float> x1, Vector256<float> x2, Vector256<float> x3, float magnitude, byte* destination)
    {
        if (magnitude < MagnitudeMin)
        {
            new Span<byte>(destination, BlockBytes).Clear();
            return;
        }

        Vector256<float> inverse = Vector256.Create(QuantMax / magnitude);
        Vector256<int> q0 = Vector256.ConvertToInt32Native(Vector256.Round(x0 * inverse));
        Vector256<int> q1 = Vector256.ConvertToInt32Native(Vector256.Round(x1 * inverse));
        Vector256<int> q2 = Vector256.ConvertToInt32Native(Vector256.Round(x2 * inverse));
        Vector256<int> q3 = Vector256.ConvertToInt32Native(Vector256.Round(x3 * inverse));
        float scale = magnitude / QuantMax;
        Vector256.Narrow(Vector256.Narrow(q0, q1), Vector256.Narrow(q2, q3)).Store((sbyte*)destination);
        *(float*)(destination + ScaleOffset) = scale;
        int firstHalf = Vector256.Sum(q0 + q1);
        int secondHalf = Vector256.Sum(q2 + q3);
        *(float*)(destination + SumOffset) = (firstHalf + secondHalf) * scale;
        *(short*)(destination + HalfSumsOffset) = (short)firstHalf;
        *(short*)(destination + HalfSumsOffset + sizeof(short)) = (short)secondHalf;
    }

    /// <summary>The list of a row's outliers as it grows.</summary>
    private struct Outliers(byte* list, int countMax)
    {
        public int Count { get; private set; }

        /// <summary>Copies a quad and moves its outliers to the list.</summary>
        /// <returns>The sum of what was moved.</returns>
        public float Move(float* x, int quad, float limit, float* rest)
        {
            Vector128<float> values = Vector128.Load(x);
            Vector128<float> outliers = values & Vector128.GreaterThan(Vector128.Abs(values), Vector128.Create(limit));
            float magnitude = VectorMath.Largest(Vector128.Abs(outliers));

            // More than Chebyshev allows could only be an effect of rounding.
            if (magnitude < MagnitudeMin || Count == countMax)
            {
                values.Store(rest);
                return 0;
            }

            (values - outliers).Store(rest);
            Vector128<int> q = Vector128.ConvertToInt32Native(Vector128.Round(outliers * Vector128.Create(QuantMax / magnitude)));
            float scale = magnitude / QuantMax;
            byte* entry = list + (++Count * OutlierBytes);
            *(int*)entry = quad;
            *(int*)(entry + OutlierQuadOffset) = Vector128.Narrow(Vector128.Narrow(q, q), default).AsInt32().ToScalar();

            *(float*)(entry + OutlierScaleOffset) = scale;
            return Vector128.Sum(q) * scale;
        }
    }
}
