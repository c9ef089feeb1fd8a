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

        private static void MultiplyPanel(in PanelProduct product, int panel, float* y, int yStride, int firstRow, int rows) =>
            VnniTiles.Multiply<Outliers>(_tiles, in product, panel, y, yStride, firstRow, rows);

        private readonly struct Outliers : ITileOutliers
        {
            public static void Add(byte* weights, int blocks, byte* outliers, float* y) =>
                BlockKernel<Avx512Simd, Vector512<byte>, TBlock>.AddOutliers(weights, part: 0, outliers, y);
        }
    }
}
