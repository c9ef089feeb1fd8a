namespace Serving.Engine.Kernels.Assembled;

/// <summary>Adds a row's outliers, which are too few for tiles, to its sums with one panel, as the kernel written with intrinsics does for the same weights.</summary>
internal unsafe interface ITileOutliers
{
    static abstract void Add(byte* weights, int blocks, byte* outliers, float* y);
}
