using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Kernels;
using Serving.TestKit;

namespace Serving.Engine.Tests;

/// <summary>The default model, loaded once for each compute class.</summary>
public sealed class SmolLm2Fixture : IDisposable
{
    public SmolLm2Fixture()
    {
        Pool = new ComputePool(2);
        Fp32 = Load(ComputeClass.Fp32);
        Fast = Load(ComputeClass.Fast);
    }

    public ComputePool Pool { get; }

    public CpuModelExecutor Fp32 { get; }

    public CpuModelExecutor Fast { get; }

    public void Dispose()
    {
        Fp32.Dispose();
        Fast.Dispose();
        Pool.Dispose();
    }

    private CpuModelExecutor Load(ComputeClass computeClass) =>
        ModelLoader.Load(Repository.DefaultModel, new ModelLoadOptions { ComputeClass = computeClass, KvBlocks = 160, StepRowsMax = 512 }, Pool);
}
