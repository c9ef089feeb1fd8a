using Serving.Engine.Execution.Cpu;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.Models;
using Serving.TestKit;

namespace Serving.Engine.Tests;

public sealed unsafe class ExpertMixerTests
{
    private const int Width = 32;
    private const int Hidden = 64;
    private const int Experts = 5;
    private const int Used = 3;
    private const int Rows = 9;

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Agrees_with_loops_in_double_precision(bool fused, bool biased)
    {
        using var setting = new Setting(new Fp32NumericClass(), fused, biased);

        float[] y = setting.Run(0, Rows);

        for (int row = 0; row < Rows; row++)
        {
            double[] expected = setting.Reference(row);
            for (int i = 0; i < Width; i++)
            {
                Assert.Equal(expected[i], y[(row * Width) + i], 2e-5);
            }
        }
    }

    [Fact]
    public void Gate_and_up_in_one_matrix_give_the_same_bits_as_in_two()
    {
        using var one = new Setting(new Fp32NumericClass(), fused: true, biased: true);
        using var two = new Setting(new Fp32NumericClass(), fused: false, biased: true);

        Assert.Equal(two.Run(0, Rows), one.Run(0, Rows));
    }

    [Fact]
    public void A_row_has_the_same_bits_alone_and_in_any_batch()
    {
        using var setting = new Setting(new Fp32NumericClass(), fused: false, biased: true);
        float[] together = setting.Run(0, Rows);

        for (int first = 0; first < Rows; first++)
        {
            for (int rows = 1; first + rows <= Rows; rows += 3)
            {
                Assert.Equal(together[(first * Width)..((first + rows) * Width)], setting.Run(first, rows));
            }
        }
    }

    [Fact]
    public void The_order_of_a_rows_choice_does_not_matter()
    {
        using var setting = new Setting(new Fp32NumericClass(), fused: false, biased: false);
        float[] before = setting.Run(0, Rows);
        setting.ReverseChoices();

        Assert.Equal(before, setting.Run(0, Rows));
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        using var setting = new Setting(new Fp32NumericClass(), fused: false, biased: true);
        float[] y = new float[Rows * Width];

        Assert.Equal(0, SteadyState.AllocatedBytes(() => setting.Run(0, Rows, y)));
    }

    /// <summary>Experts with random weights, and rows that chose some of them: expert 0 is chosen by every row, the last one by none.</summary>
    private sealed class Setting : IDisposable
    {
        private readonly Random _random = new(11);
        private readonly List<MatrixWeight> _matrices = [];
        private readonly List<VectorWeight> _vectors = [];
        private readonly List<NativeBuffer> _buffers = [];
        private readonly (float[] GateUp, float[]? GateUpBias, float[] Down, float[]? DownBias)[] _plain;
        private readonly float[] _x;
        private readonly float[] _choice = new float[Rows * 2 * Used];
        private readonly ExpertSet _set;
        private readonly ModelWeights _weights;
        private readonly ExpertMixer _mixer;
        private readonly Activations _input;
        private readonly ComputePool _pool = new(2);

        public Setting(NumericClass numericClass, bool fused, bool biased)
        {
            _plain = new (float[], float[]?, float[], float[]?)[Experts];
            var experts = new ExpertWeights[Experts];
            for (int e = 0; e < Experts; e++)
            {
                // The same numbers whether fused and biased or not.
                float[] gateUp = Numbers(2 * Hidden * Width);
                float[] down = Numbers(Width * Hidden);
                float[] gateUpBias = Numbers(2 * Hidden);
                float[] downBias = Numbers(Width);
                _plain[e] = (gateUp, biased ? gateUpBias : null, down, biased ? downBias : null);
                experts[e] = new ExpertWeights(
                    fused
                        ? [Matrix(gateUp, 2 * Hidden, Width)]
                        : [Matrix(gateUp[..(Hidden * Width)], Hidden, Width), Matrix(gateUp[(Hidden * Width)..], Hidden, Width)],
                    biased ? Vector(gateUpBias) : null,
                    Matrix(down, Width, Hidden),
                    biased ? Vector(downBias) : null);
            }

            _x = Numbers(Rows * Width);
            for (int row = 0; row < Rows; row++)
            {
                int[] chosen = [1 + (row % (Experts - 2)), 0, 1 + ((row + 1) % (Experts - 2))];
                for (int i = 0; i < Used; i++)
                {
                    _choice[(row * 2 * Used) + i] = 0.1f + _random.NextSingle();
                    _choice[(row * 2 * Used) + Used + i] = chosen[i];
                }
            }

            _set = new ExpertSet(Width, Hidden, new RouterSpec(Experts, Used, RouterScore.Softmax, false), new GateSpec(GateActivation.Silu), experts);
            // The weights lie in buffers of this test: the source is there because weights hold on to one.
            using var file = new TemporaryFile(TinyLlama.Writer().ToArray());
            using ModelSource source = ModelSource.Open(file.Path);
            _weights = ModelWeights.Load(source, Graph(), numericClass, _pool);
            _mixer = new ExpertMixer(_set, numericClass, Rows);
            _input = numericClass.CreateActivations(Rows, Width);
        }

        public float[] Run(int first, int rows)
        {
            float[] y = new float[rows * Width];
            Run(first, rows, y);
            return y;
        }

        public void Run(int first, int rows, float[] y)
        {
            _x.AsSpan(first * Width, rows * Width).CopyTo(new Span<float>(_input.Values, rows * Width));
            _input.Prepare(rows, Width, _pool);
            fixed (float* choice = _choice, destination = y)
            {
                _mixer.Run(_set, _weights, _input, choice + (first * 2 * Used), rows, destination, _pool);
            }
        }

        public void ReverseChoices()
        {
            for (int row = 0; row < Rows; row++)
            {
                Array.Reverse(_choice, row * 2 * Used, Used);
                Array.Reverse(_choice, (row * 2 * Used) + Used, Used);
            }
        }

        public double[] Reference(int row)
        {
            double[] y = new double[Width];
            double[] x = [.. _x[(row * Width)..((row + 1) * Width)].Select(value => (double)value)];
            for (int i = 0; i < Used; i++)
            {
                var expert = _plain[(int)_choice[(row * 2 * Used) + Used + i]];
                double[] gateUp = Product(expert.GateUp, expert.GateUpBias, x);
                double[] hidden = [.. Enumerable.Range(0, Hidden).Select(h => gateUp[h] / (1 + Math.Exp(-gateUp[h])) * gateUp[Hidden + h])];
                double[] output = Product(expert.Down, expert.DownBias, hidden);
                for (int o = 0; o < Width; o++)
                {
                    y[o] += _choice[(row * 2 * Used) + i] * output[o];
                }
            }

            return y;
        }

        public void Dispose()
        {
            _mixer.Dispose();
            _input.Dispose();
            _weights.Dispose();
            _pool.Dispose();
            _buffers.ForEach(buffer => buffer.Dispose());
        }

        private static double[] Product(float[] matrix, float[]? bias, double[] x)
        {
            double[] y = new double[matrix.Length / x.Length];
            for (int o = 0; o < y.Length; o++)
            {
                y[o] = bias?[o] ?? 0;
                for (int i = 0; i < x.Length; i++)
                {
                    y[o] += matrix[(o * x.Length) + i] * x[i];
                }
            }

            return y;
        }

        private MatrixWeight Matrix(float[] values, int outputs, int inputs)
        {
            var buffer = new NativeBuffer(values.Length * sizeof(float));
            values.CopyTo(new Span<float>(buffer.Address, values.Length));
            _buffers.Add(buffer);
            string name = $"matrix {_matrices.Count}";
            var raw = new RawTensor(name, GgmlType.F32, outputs, inputs, (nint)buffer.Address, values.Length * sizeof(float));
            var matrix = new MatrixWeight(_matrices.Count, name, outputs, inputs, MatrixData.Mapped(raw));
            _matrices.Add(matrix);
            return matrix;
        }

        private VectorWeight Vector(float[] values)
        {
            var vector = new VectorWeight(_vectors.Count, "bias", values.Length, () => values);
            _vectors.Add(vector);
            return vector;
        }

        private ModelGraph Graph()
        {
            var mix = new MixExperts(new ProductInput(0, "x", Width), new RowBuffer(1, "choice", 2 * Used), _set, new RowBuffer(2, "y", Width));
            return new ModelGraph(
                new ModelConfig("experts", "test", 1, Width, Hidden, 1, 1, Width, 1e-5f, 1, 1), new KvShape(1, Width, Width), [], [[mix]], [], [], _matrices, _vectors, [], []);
        }

        private float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => _random.NextSingle() - 0.5f)];
    }
}
