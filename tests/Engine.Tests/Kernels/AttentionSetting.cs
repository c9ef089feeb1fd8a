using Serving.Engine.Execution;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;

namespace Serving.Engine.Tests.Kernels;

/// <summary>Sequences with random keys, values and queries in a storage whose blocks are handed out in a scattered order.</summary>
internal sealed unsafe class AttentionSetting : IDisposable
{
    public const int RowsMax = 64;

    private const int Layer = 1;
    private readonly Random _random = new(5);
    private readonly AttentionShape _shape;
    private readonly KvCacheLayout _layout;
    private readonly float[] _sinks;
    private readonly KvStorage _kv;
    private readonly PagedAttention _attention;
    private readonly StepPlan _plan = new(RowsMax, 8, 1);
    private readonly List<float[]> _keys = [];
    private readonly List<float[]> _values = [];
    private readonly List<BlockId[]> _blocks = [];
    private readonly float[] _queries;
    private int _nextBlock;

    public AttentionSetting(AttentionShape shape, KvCacheLayout layout, bool hasSinks = false, KernelSet? kernels = null)
    {
        _shape = shape;
        _layout = layout;
        _sinks = hasSinks ? Numbers(shape.QueryHeads) : [];
        _kv = new KvStorage(layout, 101);
        _attention = new PagedAttention(shape, layout, _sinks, kernels ?? KernelSelection.Default.Kernels);
        _queries = Numbers(RowsMax * QueryWidth);
    }

    public int OutputWidth => _shape.QueryHeads * _layout.ValueDim;

    private int QueryWidth => _shape.QueryHeads * _layout.KeyDim;

    private int KeyWidth => _layout.KvHeads * _layout.KeyDim;

    private int ValueWidth => _layout.KvHeads * _layout.ValueDim;

    public void Add(int computed, int rows)
    {
        int tokens = computed + rows;
        float[] keys = Numbers(tokens * KeyWidth);
        float[] values = Numbers(tokens * ValueWidth);
        BlockId[] blocks = new BlockId[_layout.BlocksFor(tokens)];
        for (int i = 0; i < blocks.Length; i++)
        {
            blocks[i] = new BlockId(_nextBlock++ * 37 % 101);
        }

        fixed (float* k = keys, v = values)
        {
            for (int t = 0; t < tokens; t++)
            {
                _kv.Write(Layer, blocks[t / _layout.BlockSize], t % _layout.BlockSize, k + (t * KeyWidth), v + (t * ValueWidth));
            }
        }

        _keys.Add(keys);
        _values.Add(values);
        _blocks.Add(blocks);
        _plan.Add(new int[rows], computed, blocks, wantsLogits: false);
    }

    /// <summary>Overwrites what a sequence keeps in the first blocks with numbers that spoil every result they reach.</summary>
    public void Spoil(int sequence, int blocks)
    {
        float[] poison = new float[Math.Max(KeyWidth, ValueWidth)];
        Array.Fill(poison, float.NaN);
        fixed (float* p = poison)
        {
            for (int slot = 0; slot < blocks * _layout.BlockSize; slot++)
            {
                _kv.Write(Layer, _blocks[sequence][slot / _layout.BlockSize], slot % _layout.BlockSize, p, p);
            }
        }
    }

    public float[] Run(int threads)
    {
        using ComputePool pool = new(threads);
        float[] y = new float[_plan.RowCount * OutputWidth];
        Run(y, pool);
        return y;
    }

    public void Run(float[] y, ComputePool pool)
    {
        fixed (float* q = _queries, destination = y)
        {
            _attention.Run(Layer, _plan, q, QueryWidth, destination, OutputWidth, _kv, pool);
        }
    }

    /// <summary>The result of one row of a sequence in a step of its own.</summary>
    /// <param name="row">Its row in the step of all.</param>
    public float[] RunRow(int sequence, int row, int computed, int threads = 1)
    {
        StepPlan plan = new(1, 1, 1);
        plan.Add(new int[1], computed, _blocks[sequence], wantsLogits: false);
        using ComputePool pool = new(threads);
        float[] y = new float[OutputWidth];
        fixed (float* q = _queries, destination = y)
        {
            _attention.Run(Layer, plan, q + (row * QueryWidth), QueryWidth, destination, OutputWidth, _kv, pool);
        }

        return y;
    }

    /// <summary>The same by plain loops in double precision.</summary>
    public double[] Reference(int sequence, int row, int position)
    {
        double[] y = new double[OutputWidth];
        for (int head = 0; head < _shape.QueryHeads; head++)
        {
            int kvHead = head / (_shape.QueryHeads / _layout.KvHeads);
            double sum = _sinks.Length == 0 ? 0 : Math.Exp(_sinks[head]);
            double[] weights = new double[position + 1];
            for (int t = 0; t <= position; t++)
            {
                if (Sees(position, t))
                {
                    weights[t] = Math.Exp(Score(sequence, row, head, kvHead, t));
                    sum += weights[t];
                }
            }

            for (int t = 0; t <= position; t++)
            {
                if (!Sees(position, t))
                {
                    continue;
                }

                for (int d = 0; d < _layout.ValueDim; d++)
                {
                    y[(head * _layout.ValueDim) + d] += weights[t] / sum * Value(sequence, kvHead, t, d);
                }
            }
        }

        return y;
    }

    public void Dispose() => _kv.Dispose();

    private bool Sees(int position, int token) => _shape.Window == 0 || token > position - _shape.Window;

    private double Score(int sequence, int row, int head, int kvHead, int token)
    {
        double score = 0;
        for (int d = 0; d < _layout.KeyDim; d++)
        {
            score += (double)_queries[(row * QueryWidth) + (head * _layout.KeyDim) + d] * Key(sequence, kvHead, token, d);
        }

        score *= _shape.Scale;
        return _shape.Softcap == 0 ? score : _shape.Softcap * Math.Tanh(score / _shape.Softcap);
    }

    private double Key(int sequence, int kvHead, int token, int d) =>
        Stored(_keys[sequence].AsSpan((token * KeyWidth) + (kvHead * _layout.KeyDim), _layout.KeyDim), d);

    private double Value(int sequence, int kvHead, int token, int d) => _layout.ValuesInKeys
        ? Key(sequence, kvHead, token, d)
        : Stored(_values[sequence].AsSpan((token * ValueWidth) + (kvHead * _layout.ValueDim), _layout.ValueDim), d);

    private double Stored(ReadOnlySpan<float> head, int d)
    {
        switch (_layout.DataType)
        {
            case KvDataType.Float32:
                return head[d];
            case KvDataType.Float16:
                return (double)(Half)head[d];
            default:
                float largest = 0;
                foreach (float number in head)
                {
                    largest = MathF.Max(largest, MathF.Abs(number));
                }

                float scale = largest / 127;
                return (double)scale * MathF.Round(head[d] * (1 / scale));
        }
    }

    private float[] Numbers(int count)
    {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++)
        {
            numbers[i] = (float)((_random.NextDouble() - 0.5) * 6);
        }

        return numbers;
    }
}
