using Serving.Engine.Formats;

namespace Serving.Engine.Kernels.Panels;

/// <summary>Makes a kernel of a format's blocks.</summary>
internal unsafe interface IBlockKernelMaker<TRegister>
    where TRegister : struct
{
    static abstract delegate*<in PanelProduct, int, float*, int, int, int, void> Make<TBlock>(GgmlType type)
        where TBlock : struct, IPanelBlock<TBlock, TRegister>;
}
