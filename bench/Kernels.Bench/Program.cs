using BenchmarkDotNet.Running;
using Serving.Engine.Kernels;
using Serving.Kernels.Bench;

// Without arguments: a table of throughputs in under a minute. With arguments: BenchmarkDotNet's own (--filter '*', --list flat …).
if (args.Length == 0)
{
    ThroughputTable.Print(KernelSelection.Default);
}
else
{
    BenchmarkSwitcher.FromAssembly(typeof(ProductBenchmarks).Assembly).Run(args);
}
