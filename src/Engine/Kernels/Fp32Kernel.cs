using System.Runtime.CompilerServices;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels;

/// <summary>
/// fp32 weights × fp32 activations. A panel holds, input after input, the weights of its 16 outputs. Every output is one chain of fused
/// multiply-adds over <see cref="ChunkInputs"/> inputs at a time and the sum of the chunks, whatever the tile: shorter chains round less.
/// </summary>
internal static unsafe class Fp32Kernel<TSimd, TRegister>
    where TSimd : struct, ISimd<TRegister>
    where TRegister : struct
{
    private const int ChunkInputs = 64;
    private const int InputBytes = PanelProduct.PanelOutputs * sizeof(float);

    public static void MultiplyPanel(in PanelProduct product, int panel, float* y, int yStride, int firstRow, int rows)
    {
        byte* weights = product.Weights + (panel * product.PanelBytes);
        for (int part = 0; part < PanelProduct.PanelOutputs; part += TSimd.Outputs)
        {
            byte* x = product.X + (firstRow * product.XStrideBytes);
            int row = 0;
            for (; row <= rows - 4; row += 4, x += 4 * product.XStrideBytes)
            {
                Tile4(weights + (part * sizeof(float)), product.Inputs, x, product.XStrideBytes, y + ((long)row * yStride) + part, yStride);
            }

            for (; row < rows; row++, x += product.XStrideBytes)
            {
                Tile1(weights + (part * sizeof(float)), product.Inputs, (float*)x, y + ((long)row * yStride) + part);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4(byte* w, int inputs, byte* x, long xStrideBytes, float* y, int yStride)
    {
        float* x0 = (float*)x;
        float* x1 = (float*)(x + xStrideBytes);
        float* x2 = (float*)(x + (2 * xStrideBytes));
        float* x3 = (float*)(x + (3 * xStrideBytes));
        TRegister zero = TSimd.Broadcast(0f);
        TRegister y0 = zero, y1 = zero, y2 = zero, y3 = zero;
        for (int start = 0; start < inputs; start += ChunkInputs)
        {
            TRegister s0 = zero, s1 = zero, s2 = zero, s3 = zero;
            int end = Math.Min(start + ChunkInputs, inputs);
            for (int i = start; i < end; i++, w += InputBytes)
            {
                TRegister weight = TSimd.Load(w);
                s0 = TSimd.FusedMultiplyAdd(weight, TSimd.Broadcast(x0[i]), s0);
                s1 = TSimd.FusedMultiplyAdd(weight, TSimd.Broadcast(x1[i]), s1);
                s2 = TSimd.FusedMultiplyAdd(weight, TSimd.Broadcast(x2[i]), s2);
                s3 = TSimd.FusedMultiplyAdd(weight, TSimd.Broadcast(x3[i]), s3);
            }

            y0 = TSimd.AddSingle(y0, s0);
            y1 = TSimd.AddSingle(y1, s1);
            y2 = TSimd.AddSingle(y2, s2);
            y3 = TSimd.AddSingle(y3, s3);
        }

        TSimd.Store(y0, y);
        TSimd.Store(y1, y + yStride);
        TSimd.Store(y2, y + (2L * yStride));
        TSimd.Store(y3, y + (3L * yStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1(byte* w, int inputs, float* x, float* y)
    {
        TRegister zero = TSimd.Broadcast(0f);
        TRegister total = zero;
        for (int start = 0; start < inputs; start += ChunkInputs)
        {
            TRegister sum = zero;
            int end = Math.Min(start + ChunkInputs, inputs);
            for (int i = start; i < end; i++, w += InputBytes)
            {
                sum = TSimd.FusedMultiplyAdd(TSimd.Load(w), TSimd.Broadcast(x[i]), sum);
            }

            total = TSimd.AddSingle(total, sum);
        }

        TSimd.Store(total, y);
    }
}
