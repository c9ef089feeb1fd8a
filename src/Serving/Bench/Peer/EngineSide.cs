using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Kernels;

namespace Serving.Cli.Bench.Peer;

/// <summary>Our side.</summary>
internal sealed class EngineSide : IPeerSide
{
    private readonly ComputePool _pool;
    private readonly CpuModelExecutor _executor;
    private readonly EngineProbe _probe;
    private PeerCase? _case;
    private int[][] _prompts = [];

    /// <param name="cases">All that will be measured: the KV pool is as large as the largest needs.</param>
    public EngineSide(string modelPath, int threads, IEnumerable<PeerCase> cases)
    {
        _pool = new ComputePool(threads);
        try
        {
            var options = new ModelLoadOptions { KvBlocks = 1, StepRowsMax = EngineRun.Throughput.BatchTokensMax };
            _executor = ModelLoader.Load(
                modelPath, options with { KvBlocks = cases.Max(one => one.Streams * ((one.SequenceTokens + options.BlockSize - 1) / options.BlockSize)) }, _pool);
            _probe = new EngineProbe(_executor, EngineRun.Throughput, _pool);
        }
        catch
        {
            _pool.Dispose();
            throw;
        }
    }

    public ModelDescription Model => _executor.Model;

    public IReadOnlyList<int> FirstTokens => _probe.FirstTokens;

    public void Prepare(PeerCase one, int[][] prompts)
    {
        _case = one;
        _prompts = prompts;
    }

    public StepSum Measure()
    {
        var one = _case ?? throw new InvalidOperationException("Nothing is prepared.");
        return one.IsPrefill ? _probe.Prefill(_prompts) : _probe.Decode(_prompts, one.AnswerTokens);
    }

    public void Dispose()
    {
        _executor.Dispose();
        _pool.Dispose();
    }
}
