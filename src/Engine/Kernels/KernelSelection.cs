namespace Serving.Engine.Kernels;

/// <summary>Which instruction set the matrix kernels of this process use.</summary>
public sealed class KernelSelection
{
    /// <summary>The environment variable that forces an instruction set: <c>portable</c>, <c>avx2</c> or <c>avx512</c>.</summary>
    public const string EnvironmentVariable = "SERVING_SIMD";

    private static readonly Lazy<KernelSelection> _default = new(() => new KernelSelection(KernelSet.Avx2.IsSupported ? KernelSet.Avx2 : KernelSet.Portable));

    internal KernelSelection(KernelSet kernels) => Kernels = kernels;

    /// <summary>The choice of this process, made once.</summary>
    public static KernelSelection Default => _default.Value;

    public string Name => Kernels.Name;

    internal KernelSet Kernels { get; }
}
