namespace Serving.Engine.Kernels;

/// <summary>One product of rows with a matrix that lies in panels of 16 outputs.</summary>
internal unsafe struct PanelProduct
{
    /// <summary>Outputs of a panel: what the widest register holds.</summary>
    public const int PanelOutputs = 16;

    /// <summary>The first panel.</summary>
    public byte* Weights;

    public long PanelBytes;

    /// <summary>Elements of a row of x and of a weight row.</summary>
    public int Inputs;

    /// <summary>The first row of x, in the form that the kernel reads.</summary>
    public byte* X;

    public long XStrideBytes;
}
