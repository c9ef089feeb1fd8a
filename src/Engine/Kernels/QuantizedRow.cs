using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void QuantizeBlock(float* x, int start, float limit, ref Outliers outliers, byte* destination)
    {
        Vector256<float> x0 = Vector256.Load(x), x1 = Vector256.Load(x + 8), x2 = Vector256.Load(x + 16), x3 = Vector256.Load(x + 24);
        float magnitude = VectorMath.LargestMagnitude(x0, x1, x2, x3);
        float moved = 0;
        if (magnitude > limit)
        {
            Vector256<float> m0 = Beyond(x0, limit), m1 = Beyond(x1, limit), m2 = Beyond(x2, limit), m3 = Beyond(x3, limit);
            uint left = m0.ExtractMostSignificantBits() | (m1.ExtractMostSignificantBits() << 8)
                | (m2.ExtractMostSignificantBits() << 16) | (m3.ExtractMostSignificantBits() << 24);
            if (outliers.HasRoom(left))
            {
                // The rest stays in registers: reading back what was stored piece by piece would wait for the stores.
                x0 = Vector256.AndNot(x0, m0);
                x1 = Vector256.AndNot(x1, m1);
                x2 = Vector256.AndNot(x2, m2);
                x3 = Vector256.AndNot(x3, m3);
                magnitude = VectorMath.LargestMagnitude(x0, x1, x2, x3);
                while (left != 0)
                {
                    int i = BitOperations.TrailingZeroCount(left) & -QuadInputs;
                    moved += outliers.Add(x + i, (start + i) / QuadInputs, limit);
                    left &= ~(15u << i);
                }
            }
        }

        if (magnitude < MagnitudeMin)
        {
            new Span<byte>(destination, BlockBytes).Clear();
            *(float*)(destination + SumOffset) = moved;
            return;
        }

        Vector256<float> inverse = Vector256.Create(QuantMax / magnitude);
        Vector256<int> q0 = VectorMath.RoundToInt32(x0 * inverse);
        Vector256<int> q1 = VectorMath.RoundToInt32(x1 * inverse);
        Vector256<int> q2 = VectorMath.RoundToInt32(x2 * inverse);
        Vector256<int> q3 = VectorMath.RoundToInt32(x3 * inverse);
        int firstHalf, secondHalf;
        if (Avx2.IsSupported)
        {
            Vector256<sbyte> bytes = Avx2.PackSignedSaturate(Avx2.PackSignedSaturate(q0, q1), Avx2.PackSignedSaturate(q2, q3));
            bytes = Avx2.PermuteVar8x32(bytes.AsInt32(), Vector256.Create(0, 4, 1, 5, 2, 6, 3, 7)).AsSByte();
            bytes.Store((sbyte*)destination);

            // Differences from zero, of bytes moved up to where none is negative.
            Vector256<int> sums = Avx2.SumAbsoluteDifferences((bytes ^ Vector256.Create(sbyte.MinValue)).AsByte(), Vector256<byte>.Zero).AsInt32();
            const int MovedUp = 16 * 128;
            firstHalf = sums[0] + sums[2] - MovedUp;
            secondHalf = sums[4] + sums[6] - MovedUp;
        }
        else
        {
            Vector256.Narrow(Vector256.Narrow(q0, q1), Vector256.Narrow(q2, q3)).Store((sbyte*)destination);
            firstHalf = Vector256.Sum(q0 + q1);
            secondHalf = Vector256.Sum(q2 + q3);
        }

        float scale = magnitude / QuantMax;
        *(float*)(destination + ScaleOffset) = scale;
        *(float*)(destination + SumOffset) = ((firstHalf + secondHalf) * scale) + moved;
        *(short*)(destination + HalfSumsOffset) = (short)firstHalf;
        *(short*)(destination + HalfSumsOffset + sizeof(short)) = (short)secondHalf;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Beyond(Vector256<float> values, float limit) =>
        Vector256.GreaterThan(Vector256.Abs(values), Vector256.Create(limit));

    /// <summary>The list of a row's outliers as it grows.</summary>
    private struct Outliers(byte* list, int countMax)
    {
        public int Count { get; private set; }

        /// <summary>Whether the quads of a block that have one of its values fit: more than Chebyshev allows could only be an effect of rounding.</summary>
        /// <param name="values">A bit for each of the block's values.</param>
        public readonly bool HasRoom(uint values)
        {
            values |= values >> 1;
            values |= values >> 2;
            return Count + BitOperations.PopCount(values & 0x1111_1111) <= countMax;
        }

        /// <summary>Adds the outliers of a quad to the list.</summary>
        /// <returns>Their sum, as the list has them.</returns>
        public float Add(float* x, int quad, float limit)
        {
            Vector128<float> values = Vector128.Load(x);
            Vector128<float> outliers = values & Vector128.GreaterThan(Vector128.Abs(values), Vector128.Create(limit));
            float magnitude = VectorMath.Largest(Vector128.Abs(outliers));
            if (magnitude < MagnitudeMin)
            {
                return 0;
            }

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
