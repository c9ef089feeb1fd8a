namespace Serving.Engine.Kernels;

/// <summary>One product of rows with a matrix whose weights lie row after row.</summary>
internal unsafe struct RowProduct
{
    /// <summary>The first weight row.</summary>
    public byte* Weights;

    /// <summary>Bytes from one weight row to the next.</summary>
    public long RowBytes;

    /// <summary>Elements of a row of x and of a weight row.</summary>
    public int Inputs;

    /// <summary>The first row of x; its rows lie <see cref="Inputs"/> apart.</summary>
    public float* X;

    public float* Y;

    public int YStride;

    public int Rows;
}
