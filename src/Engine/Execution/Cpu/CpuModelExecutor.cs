using Serving.Engine.Kernels;
using Serving.Engine.KvCache;
using Serving.Engine.Models;
using Serving.Engine.PackedWeights;

namespace Serving.Engine.Execution.Cpu;

/// <summary>
/// Runs a model's list of operations on the processor. It owns weights, KV storage and scratch; threads come from a <see cref="ComputePool"/> that it
/// shares with others. A step allocates nothing.
/// </summary>
public sealed unsafe partial class CpuModelExecutor : IModelExecutor
{
    private readonly ModelGraph _graph;
    private readonly ModelWeights _weights;
    private readonly StepScratch _scratch;
    private readonly StepRows _rows;
    private readonly RopeTable[] _ropes;
    private readonly PagedAttention[] _attentions;
    private readonly ExpertMixers _experts;
    private readonly KvStorage _kv;
    private readonly ComputePool _pool;

    // The step that is running; the threads of the pool read it.
    private StepPlan _plan = null!;

    /// <param name="weights">The executor disposes them.</param>
    internal CpuModelExecutor(
        ModelDescription model,
        ModelGraph graph,
        ModelWeights weights,
        NumericClass numericClass,
        KvCacheLayout layout,
        ModelLoadOptions options,
        ComputePool pool)
    {
        Model = model;
        KvLayout = layout;
        StepRowsMax = options.StepRowsMax;
        _graph = graph;
        _weights = weights;
        _pool = pool;
        _scratch = new StepScratch(graph, numericClass, options.StepRowsMax);
        _experts = new ExpertMixers(graph, numericClass, options.StepRowsMax);
        _kv = new KvStorage(layout, checked(options.KvBlocks * layout.Groups.Count));
        _rows = new StepRows(layout, _kv.BlockCount, options.StepRowsMax, model.ContextLength, model.VocabularySize);
        _attentions = new PagedAttention[graph.Attentions.Count];
        foreach (AttentionSpec attention in graph.Attentions)
        {
            var shape = new AttentionShape(attention.QueryHeads, attention.Scale, attention.Window, attention.Softcap);
            _attentions[attention.Index] = new PagedAttention(shape, layout, attention.Sinks is { } sinks ? weights[sinks] : []);
        }

        _ropes = new RopeTable[graph.Ropes.Count];
        foreach (RopeSpec rope in graph.Ropes)
        {
            _ropes[rope.Index] = new RopeTable(model.ContextLength, rope.Frequencies, rope.Magnitude, rope.Interleaved);
        }
    }

    public ModelDescription Model { get; }

    public KvCacheLayout KvLayout { get; }

    public int KvBlockCount => _kv.BlockCount;

    public int StepRowsMax { get; }

    /// <summary>Where the packed weights lie.</summary>
    public WeightCacheReport WeightCache => _weights.Cache;

    /// <summary>Bytes that weights packed into memory and vectors take.</summary>
    public long WeightBytes => _weights.ResidentBytes;

    /// <summary>Bytes of weights that are read in mapped files: the model's, and that of its packed weights.</summary>
    public long MappedBytes => _weights.MappedBytes;

    public void Execute(StepPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        _rows.Fill(plan);
        _plan = plan;
        _pool.EnterStep();
        try
        {
            Run(_graph.Embedding, plan.RowCount);
            for (int layer = 0; layer < _graph.Layers.Count; layer++)
            {
                Run(_graph.Layers[layer], plan.RowCount);
            }

            SumHidden(plan);
            if (plan.LogitRowCount > 0)
            {
                Run(_graph.Head, plan.LogitRowCount);
            }
        }
        finally
        {
            _pool.LeaveStep();
        }
    }

    public void ExportBlock(int layer, BlockId block, int slots, Span<byte> destination) => _kv.Export(layer, block, slots, destination);

    public void ImportBlock(int layer, BlockId block, int slots, ReadOnlySpan<byte> source) => _kv.Import(layer, block, slots, source);

    public void CopyBlock(BlockId from, BlockId to) => _kv.CopyBlock(from, to);

    public void Dispose()
    {
        Array.ForEach(_ropes, rope => rope.Dispose());
        _kv.Dispose();
        _experts.Dispose();
        _scratch.Dispose();
        _weights.Dispose();
    }

    /// <summary>
    /// Runs operations in order. Those that work row by row, and bringing the rows into the form that a product reads, take one trip to the threads together: each
    /// thread carries its rows through all of them while they are in its cache.
    /// </summary>
    private void Run(IReadOnlyList<Operation> operations, int rows)
    {
        int next = 0;
        while (next < operations.Count)
        {
            int start = next;
            while (next < operations.Count && IsRowWise(operations[next]))
            {
                next++;
            }

            Activations? input = next < operations.Count ? BeginInput(operations[next], rows) : null;
            if (next > start || input is not null)
            {
                RunShared(new RowStretch(this, operations, start, next, input, rows));
            }

            if (next < operations.Count)
            {
                Run(operations[next++], rows);
            }
        }
    }
}
