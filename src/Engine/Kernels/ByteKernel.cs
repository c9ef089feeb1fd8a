using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels;

/// <summary>
/// 8-bit weights with a scale per 32 × int8 activations with a scale per 32 (<see cref="QuantizedRow"/>). A panel is a row of blocks of eight times 64
/// bytes, each with four inputs of every output, and after all blocks 16 half-precision scales for each. The weight's sign moves to the activation:
/// a pair is then at most 2 · 128 · 127 = 32,512 and fits 16 bits, so a block's dot is exact.
/// </summary>
internal static unsafe class ByteKernel<TSimd, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    private const int Quads = QuantizedRow.BlockInputs / QuantizedRow.QuadInputs;
    private const int PrefetchBytes = 2560;

    public static void MultiplyPanel(in PanelProduct product, int panel, float* y, int yStride, int firstRow, int rows)
    {
        byte* weights = product.Weights + (panel * product.PanelBytes);
        byte* x = product.X + (firstRow * product.XStrideBytes);
        int blocks = product.Inputs / QuantizedRow.BlockInputs;
        int row = 0;
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
    private static void Tile4(byte* panel, int part, int blocks, byte* x, long xStrideBytes, float* y, int yStride)
    {
        TRegister y0 = TSimd.Broadcast(0f), y1 = y0, y2 = y0, y3 = y0;
        byte* w = panel + (part * sizeof(int));
        short* scales = (short*)(panel + ((long)blocks * BytePanels.BlockBytes)) + part;
        byte* x2 = x + (2 * xStrideBytes);
        for (int block = 0; block < blocks; block++)
        {
            TRegister d0 = TSimd.Broadcast(0f), d1 = d0, d2 = d0, d3 = d0;
            for (int quad = 0; quad < Quads; quad++)
            {
                TRegister weights = TSimd.Load(w);
                TRegister magnitudes = TSimd.Magnitude(weights);
                d0 = AddQuad(d0, weights, magnitudes, x + (quad * 4));
                d1 = AddQuad(d1, weights, magnitudes, x + xStrideBytes + (quad * 4));
                d2 = AddQuad(d2, weights, magnitudes, x2 + (quad * 4));
                d3 = AddQuad(d3, weights, magnitudes, x2 + xStrideBytes + (quad * 4));
                w += BytePanels.QuadBytes;
            }

            TRegister scale = TSimd.LoadHalf(scales);
            y0 = AddBlock(y0, d0, scale, x);
            y1 = AddBlock(y1, d1, scale, x + xStrideBytes);
            y2 = AddBlock(y2, d2, scale, x2);
            y3 = AddBlock(y3, d3, scale, x2 + xStrideBytes);
            scales += PanelProduct.PanelOutputs;
            x += QuantizedRow.BlockBytes;
            x2 += QuantizedRow.BlockBytes;
        }

        // Behind a row's blocks lie its outliers.
        TSimd.Store(AddOutliers(panel, part, blocks, x, y0), y);
        TSimd.Store(AddOutliers(panel, part, blocks, x + xStrideBytes, y1), y + yStride);
        TSimd.Store(AddOutliers(panel, part, blocks, x2, y2), y + (2L * yStride));
        TSimd.Store(AddOutliers(panel, part, blocks, x2 + xStrideBytes, y3), y + (3L * yStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1(byte* panel, int part, int blocks, byte* x, float* y)
    {
        TRegister sum = TSimd.Broadcast(0f);
        byte* w = panel + (part * sizeof(int));
        short* scales = (short*)(panel + ((long)blocks * BytePanels.BlockBytes)) + part;
        for (int block = 0; block < blocks; block++)
        {
            // Two chains of additions: the next does not wait for the last.
            TRegister even = TSimd.Broadcast(0f), odd = even;
            for (int quad = 0; quad < Quads; quad += 2)
            {
                TSimd.Prefetch(w + PrefetchBytes);
                TRegister weights = TSimd.Load(w);
                even = AddQuad(even, weights, TSimd.Magnitude(weights), x + (quad * 4));
                weights = TSimd.Load(w + BytePanels.QuadBytes);
                odd = AddQuad(odd, weights, TSimd.Magnitude(weights), x + (quad * 4) + 4);
                w += 2 * BytePanels.QuadBytes;
            }

            sum = AddBlock(sum, TSimd.AddInt32(even, odd), TSimd.LoadHalf(scales), x);
            scales += PanelProduct.PanelOutputs;
            x += QuantizedRow.BlockBytes;
        }

        TSimd.Store(AddOutliers(panel, part, blocks, x, sum), y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TRegister AddOutliers(byte* panel, int part, int blocks, byte* outliers, TRegister sum)
    {
        short* scales = (short*)(panel + ((long)blocks * BytePanels.BlockBytes)) + part;
        byte* end = outliers + (*(int*)outliers * QuantizedRow.OutlierBytes);
        while (outliers < end)
        {
            outliers += QuantizedRow.OutlierBytes;
            uint quad = *(uint*)outliers;
            TRegister weights = TSimd.Load(panel + ((long)quad * BytePanels.QuadBytes) + (part * sizeof(int)));
            TRegister signed = TSimd.TakeSign(TSimd.BroadcastQuad(outliers + QuantizedRow.OutlierQuadOffset), weights);
            TRegister dot = TSimd.AddPairs(TSimd.MultiplyAddBytes(TSimd.Magnitude(weights), signed));
            TRegister scale = TSimd.LoadHalf(scales + (quad / Quads * PanelProduct.PanelOutputs));
            sum = TSimd.FusedMultiplyAdd(
                TSimd.ToSingle(dot),
                TSimd.Multiply(scale, TSimd.Broadcast(*(float*)(outliers + QuantizedRow.OutlierScaleOffset))),
                sum);
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister AddQuad(TRegister dot, TRegister weights, TRegister magnitudes, byte* x)
    {
        TRegister pairs = TSimd.MultiplyAddBytes(magnitudes, TSimd.TakeSign(TSimd.BroadcastQuad(x), weights));
        return TSimd.AddInt32(dot, TSimd.AddPairs(pairs));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TRegister AddBlock(TRegister sum, TRegister dot, TRegister scale, byte* x) =>
        TSimd.FusedMultiplyAdd(
            TSimd.ToSingle(dot),
            TSimd.Multiply(scale, TSimd.Broadcast(*(float*)(x + QuantizedRow.ScaleOffset))),
            sum);
}
