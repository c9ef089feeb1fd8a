using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Serving.Engine.Kernels;

/// <summary>
/// Weights row after row × fp32 activations. An output is the sum of chunks of <see cref="ChunkInputs"/> inputs, in their order. A chunk is eight chains of
/// fused multiply-adds, every eighth input to a chain, their <see cref="VectorMath.Sum(Vector256{float})"/>, and then the inputs that fill no vector, one
/// by one: the same bits for every tile, row count and processor. Short chains round less.
/// </summary>
internal static unsafe class RowKernel<TFormat>
    where TFormat : struct, IFloatFormat
{
    private const int ChunkInputs = 512;

    // Outputs whose chunks stay in the first cache while all rows go by.
    private const int OutputsAtOnce = 8;

    // From this many rows on, widening a chunk once costs less than widening it for each tile.
    private const int WidenedRowsMin = 4;

    /// <summary>Computes the outputs from <paramref name="first"/> to before <paramref name="end"/> of all rows.</summary>
    [SkipLocalsInit]
    public static void Multiply(in RowProduct product, int first, int end)
    {
        bool widens = TFormat.ByteCount != sizeof(float) && product.Rows >= WidenedRowsMin;
        float* widened = stackalloc float[OutputsAtOnce * ChunkInputs];

        // Few rows are bound by memory, which serves four streams better than eight.
        int outputsAtOnce = product.Rows < WidenedRowsMin ? 4 : OutputsAtOnce;
        for (int output = first; output < end; output += outputsAtOnce)
        {
            int outputs = Math.Min(outputsAtOnce, end - output);
            for (int start = 0; start < product.Inputs; start += ChunkInputs)
            {
                int count = Math.Min(ChunkInputs, product.Inputs - start);
                byte* weights = product.Weights + (output * product.RowBytes) + ((long)start * TFormat.ByteCount);
                if (widens)
                {
                    Widen(weights, product.RowBytes, outputs, count, widened);
                    RowKernel<SingleFormat>.MultiplyChunk(in product, (byte*)widened, ChunkInputs * sizeof(float), output, outputs, start, count);
                }
                else
                {
                    MultiplyChunk(in product, weights, product.RowBytes, output, outputs, start, count);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(byte* weights, long rowBytes, int outputs, int count, float* destination)
    {
        for (int output = 0; output < outputs; output++, weights += rowBytes, destination += ChunkInputs)
        {
            int i = 0;
            for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
            {
                TFormat.LoadEight(weights + ((long)i * TFormat.ByteCount)).Store(destination + i);
            }

            for (; i < count; i++)
            {
                destination[i] = TFormat.Load(weights + ((long)i * TFormat.ByteCount));
            }
        }
    }

    private static void MultiplyChunk(in RowProduct product, byte* weights, long rowBytes, int firstOutput, int outputs, int start, int count)
    {
        bool isFirst = start == 0;
        int row = 0;
        while (row < product.Rows)
        {
            float* x = product.X + ((long)row * product.Inputs) + start;
            float* y = product.Y + ((long)row * product.YStride) + firstOutput;
            int rows = product.Rows - row >= 3 ? 3 : 1;
            int output = 0;
            for (; output <= outputs - 4; output += 4)
            {
                byte* w = weights + (output * rowBytes);
                if (rows == 3)
                {
                    Tile4x3(w, rowBytes, count, x, product.Inputs, y + output, product.YStride, isFirst);
                }
                else
                {
                    Tile4x1(w, rowBytes, count, x, y + output, isFirst);
                }
            }

            for (; output < outputs; output++)
            {
                for (int r = 0; r < rows; r++)
                {
                    Tile1x1(weights + (output * rowBytes), count, x + ((long)r * product.Inputs), y + ((long)r * product.YStride) + output, isFirst);
                }
            }

            row += rows;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4x3(byte* w0, long rowBytes, int count, float* x0, int xStride, float* y, int yStride, bool isFirst)
    {
        byte* w1 = w0 + rowBytes, w2 = w1 + rowBytes, w3 = w2 + rowBytes;
        float* x1 = x0 + xStride, x2 = x1 + xStride;
        Vector256<float> a0 = Vector256<float>.Zero, a1 = a0, a2 = a0, a3 = a0;
        Vector256<float> b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        Vector256<float> c0 = a0, c1 = a0, c2 = a0, c3 = a0;
        int whole = count & -VectorMath.Lanes;
        for (nint i = 0; i < whole; i += VectorMath.Lanes)
        {
            Vector256<float> xa = Vector256.Load(x0 + i), xb = Vector256.Load(x1 + i), xc = Vector256.Load(x2 + i);
            Vector256<float> w = TFormat.LoadEight(w0 + (i * TFormat.ByteCount));
            a0 = Vector256.FusedMultiplyAdd(w, xa, a0);
            b0 = Vector256.FusedMultiplyAdd(w, xb, b0);
            c0 = Vector256.FusedMultiplyAdd(w, xc, c0);
            w = TFormat.LoadEight(w1 + (i * TFormat.ByteCount));
            a1 = Vector256.FusedMultiplyAdd(w, xa, a1);
            b1 = Vector256.FusedMultiplyAdd(w, xb, b1);
            c1 = Vector256.FusedMultiplyAdd(w, xc, c1);
            w = TFormat.LoadEight(w2 + (i * TFormat.ByteCount));
            a2 = Vector256.FusedMultiplyAdd(w, xa, a2);
            b2 = Vector256.FusedMultiplyAdd(w, xb, b2);
            c2 = Vector256.FusedMultiplyAdd(w, xc, c2);
            w = TFormat.LoadEight(w3 + (i * TFormat.ByteCount));
            a3 = Vector256.FusedMultiplyAdd(w, xa, a3);
            b3 = Vector256.FusedMultiplyAdd(w, xb, b3);
            c3 = Vector256.FusedMultiplyAdd(w, xc, c3);
        }

        Finish(VectorMath.Sum(a0, a1, a2, a3), w0, rowBytes, whole, count, x0, y, isFirst);
        Finish(VectorMath.Sum(b0, b1, b2, b3), w0, rowBytes, whole, count, x1, y + yStride, isFirst);
        Finish(VectorMath.Sum(c0, c1, c2, c3), w0, rowBytes, whole, count, x2, y + (2L * yStride), isFirst);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4x1(byte* w0, long rowBytes, int count, float* x, float* y, bool isFirst)
    {
        byte* w1 = w0 + rowBytes, w2 = w1 + rowBytes, w3 = w2 + rowBytes;
        Vector256<float> s0 = Vector256<float>.Zero, s1 = s0, s2 = s0, s3 = s0;
        int whole = count & -VectorMath.Lanes;
        for (nint i = 0; i < whole; i += VectorMath.Lanes)
        {
            Vector256<float> value = Vector256.Load(x + i);
            PrefetchNext(w0 + (i * TFormat.ByteCount), rowBytes);
            s0 = Vector256.FusedMultiplyAdd(TFormat.LoadEight(w0 + (i * TFormat.ByteCount)), value, s0);
            s1 = Vector256.FusedMultiplyAdd(TFormat.LoadEight(w1 + (i * TFormat.ByteCount)), value, s1);
            s2 = Vector256.FusedMultiplyAdd(TFormat.LoadEight(w2 + (i * TFormat.ByteCount)), value, s2);
            s3 = Vector256.FusedMultiplyAdd(TFormat.LoadEight(w3 + (i * TFormat.ByteCount)), value, s3);
        }

        Finish(VectorMath.Sum(s0, s1, s2, s3), w0, rowBytes, whole, count, x, y, isFirst);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1x1(byte* w, int count, float* x, float* y, bool isFirst)
    {
        Vector256<float> sums = Vector256<float>.Zero;
        int i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
        {
            sums = Vector256.FusedMultiplyAdd(TFormat.LoadEight(w + ((long)i * TFormat.ByteCount)), Vector256.Load(x + i), sums);
        }

        float sum = VectorMath.Sum(sums);
        for (; i < count; i++)
        {
            sum = MathF.FusedMultiplyAdd(TFormat.Load(w + ((long)i * TFormat.ByteCount)), x[i], sum);
        }

        *y = isFirst ? sum : *y + sum;
    }

    /// <summary>Asks for what the next four outputs have in the place of these: the processor's own fetching ahead ends with a page, which one row may fill.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchNext(byte* w, long rowBytes)
    {
        if (Sse.IsSupported)
        {
            w += 4 * rowBytes;
            Sse.Prefetch0(w);
            Sse.Prefetch0(w + rowBytes);
            Sse.Prefetch0(w + (2 * rowBytes));
            Sse.Prefetch0(w + (3 * rowBytes));
        }
    }

    /// <summary>Adds the inputs that fill no vector to a row's four sums, and the sums to what the chunks before gave.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(Vector128<float> sums, byte* w, long rowBytes, int whole, int count, float* x, float* y, bool isFirst)
    {
        for (int i = whole; i < count; i++)
        {
            byte* at = w + ((long)i * TFormat.ByteCount);
            Vector128<float> weights = Vector128.Create(
                TFormat.Load(at), TFormat.Load(at + rowBytes), TFormat.Load(at + (2 * rowBytes)), TFormat.Load(at + (3 * rowBytes)));
            sums = Vector128.FusedMultiplyAdd(weights, Vector128.Create(x[i]), sums);
        }

        (isFirst ? sums : Vector128.Load(y) + sums).Store(y);
    }
}
