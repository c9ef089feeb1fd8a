using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Models;

/// <summary>Finds weights under the names that the blocks use, and holds their shapes against what the model's sizes ask for.</summary>
internal sealed partial class ModelGraphBuilder
{
    private readonly Dictionary<string, MatrixWeight> _matrices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, VectorWeight> _vectors = new(StringComparer.Ordinal);

    /// <summary>Whether the layer has a tensor of that name with a weight.</summary>
    public bool HasLayerTensor(string name) => Source.FindTensor($"{InLayer(name)}.weight") is not null;

    /// <summary>The tensor of a name of the source.</summary>
    /// <exception cref="ModelFormatException">There is none.</exception>
    public ModelTensor Demand(string name) => Source.FindTensor(name) ?? throw Source.Missing(name);

    /// <summary>A tensor of the current layer, without its suffix: <c>blk.3.attn_q</c>.</summary>
    public string InLayer(string name) => Names.Layer(Layer, name);

    /// <summary>A matrix product of the current layer with its bias, where there is one.</summary>
    public Projection Projection(string name, int outputs, int inputs)
    {
        string full = InLayer(name);
        return new Projection(Matrix($"{full}.weight", outputs, inputs), FindVector($"{full}.bias", outputs));
    }

    public MatrixWeight Matrix(string name, int outputs, int inputs)
    {
        MatrixWeight matrix = Matrix(Demand(name));
        return matrix.Outputs == outputs && matrix.Inputs == inputs ? matrix : throw WrongShape(Demand(name), outputs, inputs);
    }

    /// <summary>One matrix of a stack, as an expert's.</summary>
    public MatrixWeight MatrixOfStack(ModelTensor stack, int index, int count, int outputs, int inputs)
    {
        if (stack.Shape.Count != 3 || stack.Shape[0] != count || stack.Shape[1] != outputs || stack.Shape[2] != inputs)
        {
            throw WrongShape(stack, count, outputs, inputs);
        }

        return Matrix($"{stack.Name}[{index}]", stack, MatrixData.Mapped(stack.MatrixAt(index)));
    }

    /// <summary>A matrix that is made of a tensor, once for each name.</summary>
    public MatrixWeight Matrix(string name, ModelTensor of, MatrixData data)
    {
        if (_matrices.TryGetValue(name, out MatrixWeight? known))
        {
            return known;
        }

        if (!BlockDecoder.HoldsWeights(data.Layout.Type))
        {
            throw of.Error("holds integers, expected weights");
        }

        return _matrices[name] = new MatrixWeight(_matrices.Count, name, data.Layout.Outputs, data.Layout.Inputs, data);
    }

    /// <summary>The weight of a norm of the current layer.</summary>
    public VectorWeight Norm(string name, int length) => NormOf($"{InLayer(name)}.weight", length);

    /// <summary>The weight of the last norm.</summary>
    public VectorWeight OutputNorm() => NormOf(Names.Global("output_norm"), Config.Width);

    public VectorWeight Vector(string name, int length) => FindVector(name, length) ?? throw Source.Missing(name);

    public VectorWeight? FindVector(string name, int length) => Source.FindTensor(name) is { } tensor ? Vector(name, tensor, length, offset: 0) : null;

    /// <summary>A vector that is made of a tensor, once for each name.</summary>
    public VectorWeight Vector(string name, int length, Func<float[]> read)
    {
        if (!_vectors.TryGetValue(name, out VectorWeight? vector))
        {
            vector = _vectors[name] = new VectorWeight(_vectors.Count, name, length, read);
        }

        return vector;
    }

    /// <summary>The error for a tensor of another shape than the model's sizes ask for.</summary>
    public static ModelFormatException WrongShape(ModelTensor tensor, params int[] expected) =>
        tensor.Error($"has the shape {tensor.ShapeText}, expected [{string.Join(", ", expected)}]");

    private MatrixWeight Matrix(ModelTensor tensor) =>
        tensor.Shape.Count == 2 ? Matrix(tensor.Name, tensor, MatrixData.Mapped(tensor.AsMatrix())) : throw tensor.Error($"has the shape {tensor.ShapeText}, expected a matrix");

    private VectorWeight NormOf(string name, int length) => Vector(name, Demand(name), length, NormOffset);

    private VectorWeight Vector(string name, ModelTensor tensor, int length, float offset)
    {
        if (tensor.Shape.Count != 1 || tensor.Shape[0] != length || !BlockDecoder.HoldsWeights(tensor.Type))
        {
            throw WrongShape(tensor, length);
        }

        return Vector(name, length, () =>
        {
            var values = new float[length];
            tensor.Decode(values);
            for (int i = 0; i < length; i++)
            {
                values[i] += offset;
            }

            return values;
        });
    }
}
