using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels;

/// <summary>
/// 4-bit weights with a scale and a minimum per 32 × int8 activations with a scale per 32 (<see cref="QuantizedRow"/>). A panel is a row of blocks, one
/// per 32 inputs: four times 64 bytes, each with four inputs of every output in the low nibbles and the next four in the high ones; then 16 scales and
/// 16 minima in half precision. A product of bytes is at most 15 · 127 and eight pairs are added: 30,480 fits 16 bits, so a block's dot is exact.
/// </summary>
internal static unsafe class NibbleKernel<TSimd, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    private const uint Quads = QuantizedRow.BlockInputs / QuantizedRow.QuadInputs;
    private const int QuadPairBytes = NibblePanels.QuadPairBytes;
    private const int PrefetchBytes = 2560;

    public static void MultiplyPanel(in PanelProduct product, int panel, float* y, int yStride, int firstRow, int rows)
    {
        byte* weights = product.Weights + (panel * product.PanelBytes);
        byte* x = product.X + (firstRow * product.XStrideBytes);
        int blocks = product.Inputs / QuantizedRow.BlockInputs;
        int row = 0;
        for (; row <= rows - 8; row += 8, x += 8 * product.XStrideBytes)
        {
            for (int part = 0; part < PanelProduct.PanelOutputs; part += TSimd.Outputs)
            {
                Tile8(weights, part, blocks, x, product.XStrideBytes, y + ((long)row * yStride) + part, yStride);
            }
        }

        for (; row <= rows - 4; row += 4, x += 4 * product.XStrideBytes)
        {
            for (int part = 0; part < PanelProduct.PanelOutputs; part += TSimd.Outputs)
            {
                Tile4(weights, part, blocks, x, product.XStrideBytes, y + ((long)row * yStride) + part, yStride);
            }
        }

        for (; row < rows; row++, x += product.XStrideBytes)
        {
            for (int part = 0; part < PanelProduct.PanelOutputs; part += TSimd.Outputs)
            {
                Tile1(weights, part, blocks, x, y + ((long)row * yStride) + part);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile8(byte* panel, int part, int blocks, byte* x, long xStrideBytes, float* y, int yStride)
    {
        TRegister y0 = TSimd.Broadcast(0f), y1 = y0, y2 = y0, y3 = y0, y4 = y0, y5 = y0, y6 = y0, y7 = y0;
        byte* w = panel + (part * sizeof(int));
        short* scales = (short*)(panel + NibblePanels.ScalesOffset) + part;
        long x3Stride = 3 * xStrideBytes;
        byte* x4 = x + (4 * xStrideBytes);
        for (int block = 0; block < blocks; block++)
        {
            TSimd.Prefetch(w + PrefetchBytes);
            Weights weights = new(w);
            TRegister scale = TSimd.LoadHalf(scales);
            TRegister minimum = TSimd.LoadHalf(scales + PanelProduct.PanelOutputs);
            y0 = weights.Add(x, scale, minimum, y0);
            y1 = weights.Add(x + xStrideBytes, scale, minimum, y1);
            y2 = weights.Add(x + (2 * xStrideBytes), scale, minimum, y2);
            y3 = weights.Add(x + x3Stride, scale, minimum, y3);
            y4 = weights.Add(x4, scale, minimum, y4);
            y5 = weights.Add(x4 + xStrideBytes, scale, minimum, y5);
            y6 = weights.Add(x4 + (2 * xStrideBytes), scale, minimum, y6);
            y7 = weights.Add(x4 + x3Stride, scale, minimum, y7);
            w += NibblePanels.BlockBytes;
            scales += NibblePanels.BlockBytes / sizeof(short);
            x += QuantizedRow.BlockBytes;
            x4 += QuantizedRow.BlockBytes;
        }

        // Behind a row's blocks lie its outliers.
        TSimd.Store(AddOutliers(panel, part, x, y0), y);
        TSimd.Store(AddOutliers(panel, part, x + xStrideBytes, y1), y + yStride);
        TSimd.Store(AddOutliers(panel, part, x + (2 * xStrideBytes), y2), y + (2L * yStride));
        TSimd.Store(AddOutliers(panel, part, x + x3Stride, y3), y + (3L * yStride));
        TSimd.Store(AddOutliers(panel, part, x4, y4), y + (4L * yStride));
        TSimd.Store(AddOutliers(panel, part, x4 + xStrideBytes, y5), y + (5L * yStride));
        TSimd.Store(AddOutliers(panel, part, x4 + (2 * xStrideBytes), y6), y + (6L * yStride));
        TSimd.Store(AddOutliers(panel, part, x4 + x3Stride, y7), y + (7L * yStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4(byte* panel, int part, int blocks, byte* x, long xStrideBytes, float* y, int yStride)
    {
        TRegister y0 = TSimd.Broadcast(0f), y1 = y0, y2 = y0, y3 = y0;
        byte* w = panel + (part * sizeof(int));
        short* scales = (short*)(panel + NibblePanels.ScalesOffset) + part;
        byte* x2 = x + (2 * xStrideBytes);
        for (int block = 0; block < blocks; block++)
        {
            TSimd.Prefetch(w + PrefetchBytes);
            Weights weights = new(w);
            TRegister scale = TSimd.LoadHalf(scales);
            TRegister minimum = TSimd.LoadHalf(scales + PanelProduct.PanelOutputs);
            y0 = weights.Add(x, scale, minimum, y0);
            y1 = weights.Add(x + xStrideBytes, scale, minimum, y1);
            y2 = weights.Add(x2, scale, minimum, y2);
            y3 = weights.Add(x2 + xStrideBytes, scale, minimum, y3);
            w += NibblePanels.BlockBytes;
            scales += NibblePanels.BlockBytes / sizeof(short);
            x += QuantizedRow.BlockBytes;
            x2 += QuantizedRow.BlockBytes;
        }

        // Behind a row's blocks lie its outliers.
        TSimd.Store(AddOutliers(panel, part, x, y0), y);
        TSimd.Store(AddOutliers(panel, part, x + xStrideBytes, y1), y + yStride);
        TSimd.Store(AddOutliers(panel, part, x2, y2), y + (2L * yStride));
        TSimd.Store(AddOutliers(panel, part, x2 + xStrideBytes, y3), y + (3L * yStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1(byte* panel, int part, int blocks, byte* x, float* y)
    {
        TRegister sum = TSimd.Broadcast(0f);
        byte* w = panel + (part * sizeof(int));
        short* scales = (short*)(panel + NibblePanels.ScalesOffset) + part;
        for (int block = 0; block < blocks; block++)
        {
            TSimd.Prefetch(w + PrefetchBytes);
            TSimd.Prefetch(w + PrefetchBytes + 128);
            TSimd.Prefetch(w + PrefetchBytes + 256);
            Weights weights = new(w);
            TRegister scale = TSimd.LoadHalf(scales);
            TRegister minimum = TSimd.LoadHalf(scales + PanelProduct.PanelOutputs);
            sum = weights.Add(x, scale, minimum, sum);
            w += NibblePanels.BlockBytes;
            scales += NibblePanels.BlockBytes / sizeof(short);
            x += QuantizedRow.BlockBytes;
        }

        TSimd.Store(AddOutliers(panel, part, x, sum), y);
    }

    /// <summary>Adds the dots of a row's outliers; the sums of the blocks have their share of the minima already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister AddOutliers(byte* panel, int part, byte* outliers, TRegister sum)
    {
        byte* end = outliers + (*(int*)outliers * QuantizedRow.OutlierBytes);
        while (outliers < end)
        {
            outliers += QuantizedRow.OutlierBytes;
            uint quad = *(uint*)outliers;
            byte* block = panel + (quad / Quads * NibblePanels.BlockBytes);
            TRegister packed = TSimd.Load(block + (quad % Quads / 2 * QuadPairBytes) + (part * sizeof(int)));
            TRegister weights = quad % 2 == 0 ? TSimd.LowNibbles(packed) : TSimd.HighNibbles(packed);
            TRegister dot = TSimd.AddPairs(TSimd.MultiplyAddBytes(weights, TSimd.BroadcastQuad(outliers + QuantizedRow.OutlierQuadOffset)));
            TRegister scale = TSimd.LoadHalf((short*)(block + NibblePanels.ScalesOffset) + part);
            sum = TSimd.FusedMultiplyAdd(
                TSimd.ToSingle(dot),
                TSimd.Multiply(scale, TSimd.Broadcast(*(float*)(outliers + QuantizedRow.OutlierScaleOffset))),
                sum);
        }

        return sum;
    }

    /// <summary>The unpacked weights of a block: eight registers that all rows of a tile use.</summary>
    private readonly struct Weights
    {
        private readonly TRegister _w0, _w1, _w2, _w3, _w4, _w5, _w6, _w7;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Weights(byte* w)
        {
            TRegister packed = TSimd.Load(w);
            _w0 = TSimd.LowNibbles(packed);
            _w1 = TSimd.HighNibbles(packed);
            packed = TSimd.Load(w + QuadPairBytes);
            _w2 = TSimd.LowNibbles(packed);
            _w3 = TSimd.HighNibbles(packed);
            packed = TSimd.Load(w + (2 * QuadPairBytes));
            _w4 = TSimd.LowNibbles(packed);
            _w5 = TSimd.HighNibbles(packed);
            packed = TSimd.Load(w + (3 * QuadPairBytes));
            _w6 = TSimd.LowNibbles(packed);
            _w7 = TSimd.HighNibbles(packed);
        }

        /// <summary>Adds one row's block: dot · (weight scale · row scale), then minimum · row sum.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TRegister Add(byte* x, TRegister scale, TRegister minimum, TRegister sum)
        {
            TRegister dot = TSimd.MultiplyAddBytes(_w0, TSimd.BroadcastQuad(x));
            dot = TSimd.AddInt16(dot, TSimd.MultiplyAddBytes(_w1, TSimd.BroadcastQuad(x + 4)));
            dot = TSimd.AddInt16(dot, TSimd.MultiplyAddBytes(_w2, TSimd.BroadcastQuad(x + 8)));
            dot = TSimd.AddInt16(dot, TSimd.MultiplyAddBytes(_w3, TSimd.BroadcastQuad(x + 12)));
            dot = TSimd.AddInt16(dot, TSimd.MultiplyAddBytes(_w4, TSimd.BroadcastQuad(x + 16)));
            dot = TSimd.AddInt16(dot, TSimd.MultiplyAddBytes(_w5, TSimd.BroadcastQuad(x + 20)));
            dot = TSimd.AddInt16(dot, TSimd.MultiplyAddBytes(_w6, TSimd.BroadcastQuad(x + 24)));
            dot = TSimd.AddInt16(dot, TSimd.MultiplyAddBytes(_w7, TSimd.BroadcastQuad(x + 28)));
            TRegister exact = TSimd.ToSingle(TSimd.AddPairs(dot));
            sum = TSimd.FusedMultiplyAdd(exact, TSimd.Multiply(scale, TSimd.Broadcast(*(float*)(x + QuantizedRow.ScaleOffset))), sum);
            return TSimd.FusedMultiplyAdd(minimum, TSimd.Broadcast(*(float*)(x + QuantizedRow.SumOffset)), sum);
        }
    }
}
