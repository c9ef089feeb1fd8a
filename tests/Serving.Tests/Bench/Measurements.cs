namespace Serving.Serving.Tests.Bench;

/// <summary>Tests whose benchmarks wait for this process to be quiet: nothing runs beside them.</summary>
[CollectionDefinition(nameof(Measurements), DisableParallelization = true)]
public sealed class Measurements;
