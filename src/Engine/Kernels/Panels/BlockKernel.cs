using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels.Panels;

/// <summary>
/// Weights in blocks of 32 inputs × int8 activations in blocks of 32 (<see cref="QuantizedRow"/>). What a block's product is, the format says
/// (<see cref="IPanelBlock{TSelf, TRegister}"/>); blocks are added in their order and last a row's outliers in theirs, whatever the tile.
/// </summary>
internal static unsafe class BlockKernel<TSimd, TRegister, TBlock>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
    where TBlock : struct, IPanelBlock<TBlock, TRegister>
{
    private const uint Quads = QuantizedRow.BlockInputs / QuantizedRow.QuadInputs;
    private const int PrefetchBytes = 2560;

    // The processor fetches lines in pairs.
    private const int PrefetchStep = 128;

    // Optimised at once: while it waits for its turn, unoptimised and counting its calls, a format's first seconds are several times slower.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyPanel(in PanelProduct product, int panel, float* y, int yStride, int firstRow, int rows)
    {
        byte* weights = product.Weights + (panel * product.PanelBytes);
        byte* x = product.X + (firstRow * product.XStrideBytes);
        int groups = product.Inputs / (QuantizedRow.BlockInputs * TBlock.GroupBlocks);
        int row = 0;
        for (; row <= rows - 4; row += 4, x += 4 * product.XStrideBytes)
        {
            for (int part = 0; part < PanelProduct.PanelOutputs; part += TSimd.Outputs)
            {
                Tile4(weights, part, groups, x, product.XStrideBytes, y + ((long)row * yStride) + part, yStride);
            }
        }

        for (; row < rows; row++, x += product.XStrideBytes)
        {
            for (int part = 0; part < PanelProduct.PanelOutputs; part += TSimd.Outputs)
            {
                Tile1(weights, part, groups, x, y + ((long)row * yStride) + part);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4(byte* panel, int part, int groups, byte* x, long xStrideBytes, float* y, int yStride)
    {
        TRegister y0 = TSimd.Broadcast(0f), y1 = y0, y2 = y0, y3 = y0;
        byte* x2 = x + (2 * xStrideBytes);
        byte* header = panel;
        for (int group = 0; group < groups; group++)
        {
            byte* quants = header + TBlock.HeaderBytes;
            for (int index = 0; index < TBlock.GroupBlocks; index++)
            {
                TSimd.Prefetch(quants + PrefetchBytes);
                TBlock block = TBlock.Load(header, index, quants, part);
                y0 = block.Add(x, y0);
                y1 = block.Add(x + xStrideBytes, y1);
                y2 = block.Add(x2, y2);
                y3 = block.Add(x2 + xStrideBytes, y3);
                quants += TBlock.QuantBytes;
                x += QuantizedRow.BlockBytes;
                x2 += QuantizedRow.BlockBytes;
            }

            header = quants;
        }

        TSimd.Store(y0, y);
        TSimd.Store(y1, y + yStride);
        TSimd.Store(y2, y + (2L * yStride));
        TSimd.Store(y3, y + (3L * yStride));

        // Behind a row's blocks lie its outliers.
        AddOutliers(panel, part, x, y);
        AddOutliers(panel, part, x + xStrideBytes, y + yStride);
        AddOutliers(panel, part, x2, y + (2L * yStride));
        AddOutliers(panel, part, x2 + xStrideBytes, y + (3L * yStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1(byte* panel, int part, int groups, byte* x, float* y)
    {
        TRegister sum = TSimd.Broadcast(0f);
        byte* header = panel;
        for (int group = 0; group < groups; group++)
        {
            byte* quants = header + TBlock.HeaderBytes;
            for (int index = 0; index < TBlock.GroupBlocks; index++)
            {
                for (int ahead = 0; ahead < TBlock.QuantBytes; ahead += PrefetchStep)
                {
                    TSimd.Prefetch(quants + PrefetchBytes + ahead);
                }

                sum = TBlock.Load(header, index, quants, part).Add(x, sum);
                quants += TBlock.QuantBytes;
                x += QuantizedRow.BlockBytes;
            }

            header = quants;
        }

        TSimd.Store(sum, y);
        AddOutliers(panel, part, x, y);
    }

    /// <summary>Adds a row's outliers to its sums. Apart from the tiles, whose inlining would exceed the compiler's budget.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void AddOutliers(byte* panel, int part, byte* outliers, float* y)
    {
        TRegister sum = TSimd.Load((byte*)y);
        int groupBytes = TBlock.HeaderBytes + (TBlock.GroupBlocks * TBlock.QuantBytes);
        byte* end = outliers + (*(int*)outliers * QuantizedRow.OutlierBytes);
        while (outliers < end)
        {
            outliers += QuantizedRow.OutlierBytes;
            uint quad = *(uint*)outliers;
            uint block = quad / Quads;
            byte* header = panel + ((long)(block / (uint)TBlock.GroupBlocks) * groupBytes);
            int index = (int)(block % (uint)TBlock.GroupBlocks);
            byte* quants = header + TBlock.HeaderBytes + (index * TBlock.QuantBytes);
            sum = TBlock.AddOutlier(header, index, quants, part, (int)(quad % Quads), outliers, sum);
        }

        TSimd.Store(sum, y);
    }
}
