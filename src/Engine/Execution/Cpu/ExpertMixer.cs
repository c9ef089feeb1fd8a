using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Engine.Execution.Cpu;

/// <summary>
/// Runs a mixture of experts over a batch, grouped: an expert's weights are read once for all the rows that chose it, and the products of as many experts as the buffers
/// hold take one trip to the threads. A row adds up its experts in the order of their numbers, so that its bits never depend on the other rows.
/// </summary>
internal sealed unsafe class ExpertMixer : IDisposable
{
    private readonly int _width;
    private readonly int _hiddenWidth;
    private readonly int _used;
    private readonly Activations _inputs;
    private readonly Activations _hidden;
    private readonly NativeBuffer _gateUp;
    private readonly NativeBuffer _outputs;

    // The rows of each expert, one expert after the other: where its rows begin, each row's place among all choices, and its number.
    private readonly int[] _starts;
    private readonly int[] _choices;
    private readonly int[] _rows;

    // Choices that the buffers hold.
    private readonly int _choicesAtOnce;

    public ExpertMixer(ExpertSet set, NumericClass numericClass, int rowsMax)
    {
        _width = set.Width;
        _hiddenWidth = set.HiddenWidth;
        _used = set.Router.Used;
        _inputs = numericClass.CreateActivations(rowsMax, _width);
        _hidden = numericClass.CreateActivations(rowsMax, _hiddenWidth);
        _gateUp = new NativeBuffer((long)rowsMax * 2 * _hiddenWidth * sizeof(float));
        _outputs = new NativeBuffer((long)rowsMax * _width * sizeof(float));
        _starts = new int[set.Router.Experts + 1];
        _choices = new int[rowsMax * _used];
        _rows = new int[rowsMax * _used];
        _choicesAtOnce = rowsMax;
    }

    /// <summary>Bytes of a mixer's buffers.</summary>
    public static long ByteCount(ExpertSet set, NumericClass numericClass, int rowsMax) =>
        numericClass.ActivationBytes(rowsMax, set.Width)
        + numericClass.ActivationBytes(rowsMax, set.HiddenWidth)
        + ((long)rowsMax * ((2 * set.HiddenWidth) + set.Width) * sizeof(float));

    /// <summary>Whether a mixer made for one set serves another: the experts of all layers, as a rule.</summary>
    public static bool CanShare(ExpertSet one, ExpertSet other) =>
        one.Width == other.Width && one.HiddenWidth == other.HiddenWidth && one.Router.Used == other.Router.Used && one.Router.Experts == other.Router.Experts;

    /// <summary><c>y[r] = Σ weight · expert(x[r])</c>.</summary>
    /// <param name="x"><c>[rows, width]</c>, prepared.</param>
    /// <param name="choice"><c>[rows, 2 · used]</c>: weights, then expert numbers.</param>
    /// <param name="y"><c>[rows, width]</c>.</param>
    public void Run(ExpertSet set, ModelWeights weights, Activations x, float* choice, int rows, float* y, ComputePool pool)
    {
        GroupByExpert(choice, rows);
        new Span<float>(y, checked(rows * _width)).Clear();
        int expert = 0;
        while (expert < set.Experts.Count)
        {
            // A row chooses an expert once at most, so that one expert's choices are no more than the rows of a step and always fit.
            int end = expert + 1;
            while (end < set.Experts.Count && _starts[end + 1] - _starts[expert] <= _choicesAtOnce)
            {
                end++;
            }

            if (_starts[end] > _starts[expert])
            {
                RunExperts(set, expert, end, weights, x, pool);
                AddUp(choice, _choices.AsSpan(_starts[expert].._starts[end]), y);
            }

            expert = end;
        }
    }

    public void Dispose()
    {
        _inputs.Dispose();
        _hidden.Dispose();
        _gateUp.Dispose();
        _outputs.Dispose();
    }

    /// <summary>Counting sort of all choices by expert; rows keep their order.</summary>
    private void GroupByExpert(float* choice, int rows)
    {
        Array.Clear(_starts);
        for (int i = 0; i < rows * _used; i++)
        {
            _starts[Expert(choice, i) + 1]++;
        }

        for (int expert = 1; expert < _starts.Length; expert++)
        {
            _starts[expert] += _starts[expert - 1];
        }

        for (int i = 0; i < rows * _used; i++)
        {
            int place = _starts[Expert(choice, i)]++;
            _choices[place] = i;
            _rows[place] = i / _used;
        }

        // Filling has moved each start to the next one's.
        Array.Copy(_starts, 0, _starts, 1, _starts.Length - 1);
        _starts[0] = 0;
    }

    /// <summary>Puts the outputs of a stretch of experts into the buffer, in the order of their choices.</summary>
    private void RunExperts(ExpertSet set, int first, int end, ModelWeights weights, Activations x, ComputePool pool)
    {
        int origin = _starts[first];
        int count = _starts[end] - origin;
        float* gateUp = (float*)_gateUp.Address;
        float* outputs = (float*)_outputs.Address;
        _inputs.Gather(x, _rows.AsSpan(origin, count));
        for (int expert = first; expert < end; expert++)
        {
            (int start, int rows) = Place(expert, origin);
            float* to = gateUp + ((long)start * 2 * _hiddenWidth);
            for (int part = 0; rows > 0 && part < set.Experts[expert].GateUp.Count; part++)
            {
                MatrixWeight weight = set.Experts[expert].GateUp[part];
                pool.Products.Add(weights[weight], _inputs, start, rows, to, 2 * _hiddenWidth);
                to += weight.Outputs;
            }
        }

        pool.Products.Run();
        _hidden.Begin(count, _hiddenWidth);
        GateWork gate = new() { Mixer = this, Set = set, Weights = weights, First = first, End = end };
        pool.Run(ref gate);
        for (int expert = first; expert < end; expert++)
        {
            (int start, int rows) = Place(expert, origin);
            if (rows > 0)
            {
                pool.Products.Add(weights[set.Experts[expert].Down], _hidden, start, rows, outputs + ((long)start * _width), _width);
            }
        }

        pool.Products.Run();
        for (int expert = first; expert < end; expert++)
        {
            (int start, int rows) = Place(expert, origin);
            AddBias(set.Experts[expert].DownBias, weights, outputs + ((long)start * _width), _width, rows);
        }
    }

    /// <summary>Where an expert's choices lie in the buffers.</summary>
    private (int Start, int Rows) Place(int expert, int origin) => (_starts[expert] - origin, _starts[expert + 1] - _starts[expert]);

    /// <summary>Gate and up of some choices to the prepared input of the down products.</summary>
    private void RunGate(ExpertSet set, int expert, ModelWeights weights, int start, int count)
    {
        float* gateUp = (float*)_gateUp.Address + ((long)start * 2 * _hiddenWidth);
        AddBias(set.Experts[expert].GateUpBias, weights, gateUp, 2 * _hiddenWidth, count);
        GatedUnit.Apply(
            set.Gate, gateUp, 2 * _hiddenWidth, gateUp + _hiddenWidth, 2 * _hiddenWidth, _hidden.Values + ((long)start * _hiddenWidth), _hiddenWidth, count, _hiddenWidth);
        _hidden.PrepareRows(start, count);
    }

    private void AddUp(float* choice, ReadOnlySpan<int> choices, float* y)
    {
        float* outputs = (float*)_outputs.Address;
        for (int i = 0; i < choices.Length; i++)
        {
            RowMath.AddScaled(outputs + ((long)i * _width), Weight(choice, choices[i]), y + ((long)(choices[i] / _used) * _width), _width);
        }
    }

    private static void AddBias(VectorWeight? bias, ModelWeights weights, float* y, int stride, int rows)
    {
        if (bias is not null)
        {
            RowMath.AddToRows(weights[bias], y, stride, rows);
        }
    }

    private int Expert(float* choice, int i) => (int)choice[((long)(i / _used) * 2 * _used) + _used + (i % _used)];

    private float Weight(float* choice, int i) => choice[((long)(i / _used) * 2 * _used) + (i % _used)];

    private struct GateWork : IParallelWork
    {
        public ExpertMixer Mixer;
        public ExpertSet Set;
        public ModelWeights Weights;
        public int First;
        public int End;

        public readonly void Execute(int thread, int threadCount)
        {
            int origin = Mixer._starts[First];
            int all = Mixer._starts[End] - origin;
            int shareStart = (int)((long)all * thread / threadCount);
            int shareEnd = (int)((long)all * (thread + 1) / threadCount);
            for (int expert = First; expert < End; expert++)
            {
                (int start, int rows) = Mixer.Place(expert, origin);
                int from = Math.Max(start, shareStart), to = Math.Min(start + rows, shareEnd);
                if (from < to)
                {
                    Mixer.RunGate(Set, expert, Weights, from, to - from);
                }
            }
        }
    }
}
