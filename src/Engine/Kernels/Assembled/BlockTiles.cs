using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Iced.Intel;
using Serving.Engine.Formats;
using Serving.Engine.Kernels.Panels;
using Serving.Engine.Kernels.Simd;

namespace Serving.Engine.Kernels.Assembled;

/// <summary>The kernels over <see cref="BlockPanels"/> made of <see cref="BlockTileAssembly"/>'s tiles. A format's are assembled when a model first brings it.</summary>
internal readonly unsafe struct BlockTiles : IBlockKernelMaker<Vector512<byte>>
{
    /// <exception cref="ArgumentOutOfRangeException">The format has none.</exception>
    public static delegate*<in PanelProduct, int, float*, int, int, int, void> Of(GgmlType type) =>
        BlockKernels<Avx512Simd, Vector512<byte>>.Of<BlockTiles>(type);

    public static delegate*<in PanelProduct, int, float*, int, int, int, void> Make<TBlock>(GgmlType type)
        where TBlock : struct, IPanelBlock<TBlock, Vector512<byte>> => Kernel<TBlock>.Make(type);

    private static class Kernel<TBlock>
        where TBlock : struct, IPanelBlock<TBlock, Vector512<byte>>
    {
        private static MachineCode? _code;
        private static nint[] _tiles = [];

        public static delegate*<in PanelProduct, int, float*, int, int, int, void> Make(GgmlType type)
        {
            if (_tiles.Length == 0)
            {
                var functions = new Action<Assembler>[TileFrame.RowsMax];
                for (int i = 0; i < functions.Length; i++)
                {
                    int rows = i + 1;
                    functions[i] = a => BlockTileAssembly.Write(a, rows, type);
                }

                _tiles = MachineCode.Assemble(functions, out _code);
            }

            return _code is null ? &BlockKernel<Avx512Simd, Vector512<byte>, TBlock>.MultiplyPanel : &MultiplyPanel;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void MultiplyPanel(in PanelProduct product, int panel, float* y, int yStride, int firstRow, int rows)
        {
            byte* weights = product.Weights + (panel * product.PanelBytes);
            byte* x = product.X + (firstRow * product.XStrideBytes);
            int blocks = product.Inputs / QuantizedRow.BlockInputs;
            VnniTiles.RunTiles(_tiles, weights, x, product.XStrideBytes, y, yStride, blocks, rows);
            for (byte* outliers = x + (blocks * QuantizedRow.BlockBytes); rows > 0; rows--, outliers += product.XStrideBytes, y += yStride)
            {
                if (*(int*)outliers > 0)
                {
                    BlockKernel<Avx512Simd, Vector512<byte>, TBlock>.AddOutliers(weights, part: 0, outliers, y);
                }
            }
        }
    }
}
