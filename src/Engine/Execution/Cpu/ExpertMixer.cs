using Serving.Engine.Kernels;
using Serving.Engine.Models;

namespace Serving.Engine.Execution.Cpu;

/// <summary>
/// Runs a mixture of experts over a batch, grouped: an expert's weights are read once for all the rows that chose it. A row adds up its experts in the order of
/// their numbers, so that its bits never depend on the other rows.
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

    // The rows of each expert, one expert after the other: where its rows begin, and each row's place among all choices.
    private readonly int[] _starts;
    private readonly int[] _choices;

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
    /// <param name="x"><c>[rows, width]</c>.</param>
    /// <param name="choice"><c>[rows, 2 · used]</c>: weights, then expert numbers.</param>
    /// <param name="y"><c>[rows, width]</c>.</param>
    public void Run(ExpertSet set, ModelWeights weights, float* x, float* choice, int rows, float* y, ComputePool pool)
    {
        GroupByExpert(choice, rows);
        new Span<float>(y, checked(rows * _width)).Clear();
        for (int expert = 0; expert < set.Experts.Count; expert++)
        {
            // A row chooses an expert once at most, so that these are no more than the rows of a step.
            int count = _starts[expert + 1] - _starts[expert];
            if (count > 0)
            {
                RunExpert(set.Experts[expert], set.Gate, weights, x, choice, _choices.AsSpan(_starts[expert], count), y, pool);
            }
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
            _choices[_starts[Expert(choice, i)]++] = i;
        }

        // Filling has moved each start to the next one's.
        Array.Copy(_starts, 0, _starts, 1, _starts.Length - 1);
        _starts[0] = 0;
    }

    private void RunExpert(
        ExpertWeights expert, GateSpec gate, ModelWeights weights, float* x, float* choice, ReadOnlySpan<int> choices, float* y, ComputePool pool)
    {
        int rows = choices.Length;
        for (int i = 0; i < rows; i++)
        {
            new ReadOnlySpan<float>(x + ((long)(choices[i] / _used) * _width), _width).CopyTo(new Span<float>(_inputs.Values + ((long)i * _width), _width));
        }

        _inputs.Prepare(rows, _width, pool);
        float* gateUp = (float*)_gateUp.Address;
        int column = 0;
        for (int part = 0; part < expert.GateUp.Count; part++)
        {
            weights[expert.GateUp[part]].Multiply(_inputs, rows, gateUp + column, 2 * _hiddenWidth, pool);
            column += expert.GateUp[part].Outputs;
        }

        AddBias(expert.GateUpBias, weights, gateUp, 2 * _hiddenWidth, rows);
        GatedUnit.Apply(gate, gateUp, 2 * _hiddenWidth, gateUp + _hiddenWidth, 2 * _hiddenWidth, _hidden.Values, _hiddenWidth, rows, _hiddenWidth);
        _hidden.Prepare(rows, _hiddenWidth, pool);
        float* outputs = (float*)_outputs.Address;
        weights[expert.Down].Multiply(_hidden, rows, outputs, _width, pool);
        AddBias(expert.DownBias, weights, outputs, _width, rows);
        for (int i = 0; i < rows; i++)
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
}
