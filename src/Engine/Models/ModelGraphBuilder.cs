using Serving.Engine.Formats;
using Serving.Engine.Formats.Gguf;

namespace Serving.Engine.Models;

/// <summary>
/// Takes a model's operations one after the other, and finds and checks the weights that they name. Operations added before the first
/// <see cref="BeginLayer"/> belong to the embedding, those after <see cref="BeginHead"/> to the head.
/// </summary>
internal sealed class ModelGraphBuilder(GgufFile file, ModelConfig config)
{
    private readonly List<Operation> _embedding = [];
    private readonly List<List<Operation>> _layers = [];
    private readonly List<Operation> _head = [];
    private readonly List<RowBuffer> _buffers = [];
    private readonly Dictionary<string, MatrixWeight> _matrices = new(StringComparer.Ordinal);
    private readonly Dictionary<string, VectorWeight> _vectors = new(StringComparer.Ordinal);
    private readonly List<RopeSpec> _ropes = [];
    private List<Operation>? _current;

    public ModelConfig Config => config;

    /// <summary>The layer whose operations are being added.</summary>
    public int Layer => _layers.Count - 1;

    public void BeginLayer()
    {
        _current = [];
        _layers.Add(_current);
    }

    public void BeginHead() => _current = _head;

    public void Add(Operation operation) => (_current ?? _embedding).Add(operation);

    public ModelGraph Build() => new(config, _embedding, _layers, _head, _buffers, [.. _matrices.Values], [.. _vectors.Values], _ropes);

    /// <summary>The buffer of that name, made on its first use.</summary>
    public RowBuffer Buffer(string name, int width) => FindBuffer(name, width) ?? AddBuffer(new RowBuffer(_buffers.Count, name, width));

    /// <summary>The buffer of that name for products to read, made on its first use.</summary>
    public ProductInput ProductInput(string name, int width) =>
        (ProductInput)(FindBuffer(name, width) ?? AddBuffer(new ProductInput(_buffers.Count, name, width)));

    /// <summary>A tensor of the current layer: <c>blk.3.attn_q.weight</c>.</summary>
    public string InLayer(string name) => $"blk.{Layer}.{name}";

    public MatrixWeight Matrix(string name, int outputs, int inputs)
    {
        if (_matrices.TryGetValue(name, out MatrixWeight? known))
        {
            return known;
        }

        GgufTensor tensor = Demand(name);
        if (tensor.Dimensions.Count != 2 || tensor.Dimensions[0] != inputs || tensor.Dimensions[1] != outputs)
        {
            throw file.Error(tensor, $"has the dimensions {tensor.Shape}, expected [{inputs}, {outputs}]");
        }

        return _matrices[name] = new MatrixWeight(_matrices.Count, tensor, outputs, inputs);
    }

    public VectorWeight Vector(string name, int length) => FindVector(name, length) ?? throw Missing(name);

    public VectorWeight? FindVector(string name, int length)
    {
        if (_vectors.TryGetValue(name, out VectorWeight? known))
        {
            return known;
        }

        if (file.FindTensor(name) is not { } tensor)
        {
            return null;
        }

        if (tensor.Dimensions.Count != 1 || tensor.Dimensions[0] != length)
        {
            throw file.Error(tensor, $"has the dimensions {tensor.Shape}, expected [{length}]");
        }

        return _vectors[name] = new VectorWeight(_vectors.Count, tensor, length);
    }

    /// <summary>A matrix product with its bias, where the file has one: <c>attn_q.weight</c> and <c>attn_q.bias</c>.</summary>
    public Projection Projection(string name, int outputs, int inputs) =>
        new(Matrix($"{name}.weight", outputs, inputs), FindVector($"{name}.bias", outputs));

    /// <summary>Makes a rotation, for all layers that turn alike.</summary>
    public RopeSpec Rope(int dims, float theta, bool interleaved, VectorWeight? frequencyFactors)
    {
        var rope = new RopeSpec(_ropes.Count, dims, theta, interleaved, frequencyFactors);
        _ropes.Add(rope);
        return rope;
    }

    public bool HasTensor(string name) => file.FindTensor(name) is not null;

    private GgufTensor Demand(string name) => file.FindTensor(name) ?? throw Missing(name);

    private ModelFormatException Missing(string name) => new(file.Path, null, $"tensor {name}", "is missing");

    private RowBuffer? FindBuffer(string name, int width)
    {
        RowBuffer? buffer = _buffers.Find(candidate => candidate.Name == name);
        return buffer is null || buffer.Width == width
            ? buffer
            : throw new InvalidOperationException($"The buffer {name} is {buffer.Width} wide here and {width} there.");
    }

    private RowBuffer AddBuffer(RowBuffer buffer)
    {
        _buffers.Add(buffer);
        return buffer;
    }
}
