using System.Runtime.Intrinsics;
using Serving.Engine.Execution;
using Serving.Engine.KvCache;

namespace Serving.Engine.Kernels;

/// <summary>
/// Causal attention with grouped queries over the paged KV cache (PagedAttention: Kwon et al., arXiv 2309.06180). A row's result depends on its own
/// sequence only: bit-identical for every batch, chunk size, thread count and instruction set. One caller at a time.
/// </summary>
public sealed unsafe class PagedAttention
{
    // Scratch grows with the width of a head; the widest of the families that there are has 576.
    private const int HeadDimMax = 8192;

    private readonly AttentionShape _shape;
    private readonly KvCacheLayout _layout;
    private readonly KernelSet _kernels;
    private readonly AttentionSchedule _schedule;
    private readonly float[] _sinks;
    private readonly int _groupSize;
    private AttentionScratch[] _scratch = [];
    private WorkStretches _stretches = new(0);

    /// <param name="sinks">A logit a query head that takes part in the softmax and has no value; empty: none.</param>
    /// <exception cref="ArgumentException">The heads do not fit each other, or are too wide.</exception>
    public PagedAttention(AttentionShape shape, KvCacheLayout layout, ReadOnlySpan<float> sinks = default)
        : this(shape, layout, sinks, KernelSelection.Default.Kernels)
    {
    }

    internal PagedAttention(AttentionShape shape, KvCacheLayout layout, ReadOnlySpan<float> sinks, KernelSet kernels)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ArgumentNullException.ThrowIfNull(layout);
        if (shape.QueryHeads < 1 || shape.QueryHeads % layout.KvHeads != 0)
        {
            throw new ArgumentException($"{shape.QueryHeads} query heads cannot share {layout.KvHeads} KV heads evenly.", nameof(shape));
        }

        if (!sinks.IsEmpty && sinks.Length != shape.QueryHeads)
        {
            throw new ArgumentException($"{shape.QueryHeads} query heads need as many sinks, but {sinks.Length} were given.", nameof(sinks));
        }

        if (shape.Window < 0 || !(shape.Softcap >= 0))
        {
            throw new ArgumentException($"{shape} has a window or a softcap below zero; zero means none.", nameof(shape));
        }

        int widest = Math.Max(layout.KeyDim, layout.ValueDim);
        if (widest > HeadDimMax)
        {
            throw new ArgumentException($"Heads of {widest} are too wide: at most {HeadDimMax}.", nameof(layout));
        }

        _shape = shape;
        _layout = layout;
        _kernels = kernels;
        _schedule = new AttentionSchedule(shape, layout);
        _sinks = sinks.ToArray();
        _groupSize = shape.QueryHeads / layout.KvHeads;
    }

    /// <summary>Lets every row of <paramref name="plan"/> attend to its sequence up to itself. The rows' own K and V are already written.</summary>
    /// <param name="q"><c>[rows, query heads, key dim]</c>, rows <paramref name="qStride"/> floats apart.</param>
    /// <param name="y"><c>[rows, query heads, value dim]</c>, rows <paramref name="yStride"/> floats apart; must not overlap <paramref name="q"/>.</param>
    public void Run(int layer, StepPlan plan, float* q, int qStride, float* y, int yStride, KvStorage kv, ComputePool pool)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(kv);
        ArgumentNullException.ThrowIfNull(pool);
        if (kv.Layout != _layout)
        {
            throw new ArgumentException($"The KV storage has the layout {kv.Layout}, but the attention was made for {_layout}.", nameof(kv));
        }

        PrepareScratch(pool.ThreadCount);
        _schedule.Fill(plan, pool.ThreadCount);
        _stretches.Begin(_schedule.Tasks.Length, piece: 1);
        Work work = new() { Attention = this, Layer = layer, Plan = plan, Q = q, QStride = qStride, Y = y, YStride = yStride, Kv = kv };
        pool.Run(ref work);
    }

    private void PrepareScratch(int threads)
    {
        int present = _scratch.Length;
        if (present < threads)
        {
            _stretches = new WorkStretches(threads);
            Array.Resize(ref _scratch, threads);
            for (int thread = present; thread < threads; thread++)
            {
                _scratch[thread] = new AttentionScratch(_layout);
            }
        }
    }

    private void RunTask(in Work work, int index, AttentionScratch scratch)
    {
        ReadOnlySpan<AttentionSchedule.Task> tasks = _schedule.Tasks;
        ref readonly AttentionSchedule.Task task = ref tasks[index];
        ref readonly AttentionSchedule.Task next = ref tasks[Math.Min(index + 1, tasks.Length - 1)];
        ref readonly StepSequence sequence = ref work.Plan.Sequences[task.Sequence];
        LoadQueries(in work, in sequence, in task, scratch.Queries);
        ReadOnlySpan<float> sinks = _sinks.Length == 0 ? [] : _sinks.AsSpan(task.KvHead * _groupSize, _groupSize);
        PartialAttention total = scratch.Total;
        if (task.Split < 0)
        {
            total.Begin(sinks, task.FirstQuery, task.QueryCount);
            for (int range = 0; range < task.RangeCount; range++)
            {
                bool isLast = range + 1 == task.RangeCount;
                RunRange(in work, in task, range, in isLast ? ref next : ref task, isLast ? FirstRangeOf(in next) : range + 1, scratch, scratch.Part);
                total.Merge(scratch.Part, task.QueryCount);
            }
        }
        else
        {
            RunRange(in work, in task, task.Range, in next, FirstRangeOf(in next), scratch, _schedule.PartialOf(in task, task.Range));
            if (!_schedule.Finish(in task))
            {
                return;
            }

            total.Begin(sinks, task.FirstQuery, task.QueryCount);
            for (int range = 0; range < task.RangeCount; range++)
            {
                total.Merge(_schedule.PartialOf(in task, range), task.QueryCount);
            }
        }

        for (int query = 0; query < task.QueryCount; query++)
        {
            int number = task.FirstQuery + query;
            float* row = work.Y + ((sequence.RowStart + (number / _groupSize)) * (long)work.YStride);
            total.Finish(query, row + (((task.KvHead * _groupSize) + (number % _groupSize)) * _layout.ValueDim), _layout.ValueDim);
        }
    }

    /// <param name="next">The task of the range that this thread most likely computes next.</param>
    private void RunRange(
        in Work work, in AttentionSchedule.Task task, int range, in AttentionSchedule.Task next, int nextRange, AttentionScratch scratch, PartialAttention result)
    {
        ref readonly StepSequence sequence = ref work.Plan.Sequences[task.Sequence];
        ref readonly StepSequence nextSequence = ref work.Plan.Sequences[next.Sequence];
        AttentionPart part = new()
        {
            Kv = work.Kv,
            Layer = work.Layer,
            KvHead = task.KvHead,
            Blocks = BlocksOf(in work, in sequence),
            RangeStart = (task.FirstRange + range) * AttentionPart.RangeKeys,
            FirstKey = FirstKeyOf(in sequence, in task, range),
            EndKey = EndKeyOf(in sequence, in task, range),
            FirstQuery = task.FirstQuery,
            QueryCount = task.QueryCount,
            GroupSize = _groupSize,
            FirstPosition = sequence.ComputedTokens,
            Shape = _shape,
            Scratch = scratch,
            NextBlocks = BlocksOf(in work, in nextSequence),
            NextKvHead = next.KvHead,
            NextFirstKey = FirstKeyOf(in nextSequence, in next, nextRange),
            NextEndKey = EndKeyOf(in nextSequence, in next, nextRange),
            Result = result,
        };
        _kernels.Attention(in part);
    }

    private static int FirstRangeOf(in AttentionSchedule.Task task) => Math.Max(task.Range, 0);

    private ReadOnlySpan<BlockId> BlocksOf(in Work work, in StepSequence sequence) => sequence.BlocksOf(_layout.Groups.GroupOf(work.Layer), _layout.Groups.Count);

    private int FirstKeyOf(in StepSequence sequence, in AttentionSchedule.Task task, int range) => Math.Max(
        (task.FirstRange + range) * AttentionPart.RangeKeys, _shape.FirstKey(sequence.ComputedTokens + (task.FirstQuery / _groupSize)));

    private int EndKeyOf(in StepSequence sequence, in AttentionSchedule.Task task, int range) => Math.Min(
        (task.FirstRange + range + 1) * AttentionPart.RangeKeys, sequence.ComputedTokens + ((task.FirstQuery + task.QueryCount - 1) / _groupSize) + 1);

    /// <summary>Copies the tile's queries, multiplied with the scale of scores.</summary>
    private void LoadQueries(in Work work, in StepSequence sequence, in AttentionSchedule.Task task, float* to)
    {
        int dim = _layout.KeyDim;
        for (int number = task.FirstQuery; number < task.FirstQuery + task.QueryCount; number++, to += dim)
        {
            float* row = work.Q + ((sequence.RowStart + (number / _groupSize)) * (long)work.QStride);
            float* from = row + (((task.KvHead * _groupSize) + (number % _groupSize)) * dim);
            int d = 0;
            for (; d <= dim - VectorMath.Lanes; d += VectorMath.Lanes)
            {
                (Vector256.Load(from + d) * Vector256.Create(_shape.Scale)).Store(to + d);
            }

            for (; d < dim; d++)
            {
                to[d] = from[d] * _shape.Scale;
            }
        }
    }

    private struct Work : IParallelWork
    {
        public PagedAttention Attention;
        public StepPlan Plan;
        public KvStorage Kv;
        public int Layer;
        public float* Q;
        public int QStride;
        public float* Y;
        public int YStride;

        public readonly void Execute(int thread, int threadCount)
        {
            int done = 0;
            while (Attention._stretches.TryTake(thread, ref done, out int start, out int end))
            {
                for (int i = start; i < end; i++)
                {
                    Attention.RunTask(in this, i, Attention._scratch[thread]);
                }
            }
        }
    }
}
