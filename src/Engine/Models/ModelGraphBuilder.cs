using Serving.Engine.Formats;

namespace Serving.Engine.Models;

/// <summary>
/// Takes a model's operations one after the other, and finds and checks the weights that they name. Operations added before the first
/// <see cref="BeginLayer"/> belong to the embedding, those after <see cref="BeginHead"/> to the head.
/// </summary>
internal sealed partial class ModelGraphBuilder
{
    private readonly List<Operation> _embedding = [];
    private readonly List<List<Operation>> _layers = [];
    private readonly List<Operation> _head = [];
    private readonly List<RowBuffer> _buffers = [];
    private readonly List<RopeSpec> _ropes = [];
    private readonly List<AttentionSpec> _attentions = [];
    private KvShape? _kv;
    private List<Operation>? _current;

    /// <param name="contextTokensMax">Most tokens of a sequence, where they are to be fewer than the model's own.</param>
    public ModelGraphBuilder(ModelSource source, TensorNames names, int contextTokensMax)
    {
        Source = source;
        Names = names;
        MatrixWeight embedding = Matrix(Demand(names.Global("token_embd")));
        string ownName = System.IO.Path.GetFileNameWithoutExtension(source.Path);
        Config = ModelConfig.Read(source, source.Settings is Formats.Gguf.GgufSettings gguf ? gguf.ModelName ?? ownName : System.IO.Path.GetFileName(source.Path), embedding.Outputs);
        ContextTokens = Math.Min(contextTokensMax, Config.ContextLength);
        if (embedding.Inputs != Config.Width)
        {
            throw Demand(embedding.Name).Error($"has rows of {embedding.Inputs} elements, expected the width {Config.Width}");
        }

        TokenEmbedding = embedding;
    }

    public ModelSource Source { get; }

    public ModelSettings Settings => Source.Settings;

    public TensorNames Names { get; }

    public ModelConfig Config { get; }

    public MatrixWeight TokenEmbedding { get; }

    /// <summary>Most tokens of a sequence.</summary>
    public int ContextTokens { get; }

    /// <summary>What is added to the weights of norms: 1 for files that hold them as their distance from 1.</summary>
    public float NormOffset { get; init; }

    /// <summary>The layer whose operations are being added.</summary>
    public int Layer => _layers.Count - 1;

    public void BeginLayer()
    {
        _current = [];
        _layers.Add(_current);
    }

    public void BeginHead() => _current = _head;

    public void Add(Operation operation) => (_current ?? _embedding).Add(operation);

    public ModelGraph Build() => new(
        Config,
        _kv ?? throw new InvalidOperationException("No layer of the model attends."),
        _embedding,
        _layers,
        _head,
        _buffers,
        [.. _matrices.Values],
        [.. _vectors.Values],
        _ropes,
        _attentions);

    /// <summary>The buffer of that name, made on its first use.</summary>
    public RowBuffer Buffer(string name, int width) => FindBuffer(name, width) ?? AddBuffer(new RowBuffer(_buffers.Count, name, width));

    /// <summary>The buffer of that name for products to read, made on its first use.</summary>
    public ProductInput ProductInput(string name, int width) =>
        (ProductInput)(FindBuffer(name, width) ?? AddBuffer(new ProductInput(_buffers.Count, name, width)));

    /// <summary>Makes a rotation, for all layers that turn alike.</summary>
    public RopeSpec Rope(double[] frequencies, double magnitude, bool interleaved)
    {
        var rope = new RopeSpec(_ropes.Count, frequencies, (float)magnitude, interleaved);
        _ropes.Add(rope);
        return rope;
    }

    /// <summary>The way to attend of those figures, made on its first use.</summary>
    public AttentionSpec Attention(int queryHeads, float scale, int window = 0, float softcap = 0, VectorWeight? sinks = null)
    {
        // A window as long as any sequence hides nothing.
        var attention = new AttentionSpec(0, queryHeads, scale, window < Config.ContextLength ? window : 0, softcap, sinks);
        if (_attentions.Find(known => known with { Index = 0 } == attention) is { } found)
        {
            return found;
        }

        attention = attention with { Index = _attentions.Count };
        _attentions.Add(attention);
        return attention;
    }

    /// <summary>Says what a layer leaves in the KV cache; all layers leave the same.</summary>
    public void LeavesInKvCache(KvShape kv)
    {
        if (_kv is not null && _kv != kv)
        {
            throw new InvalidOperationException($"Layer {Layer} leaves {kv} in the KV cache, the ones before it {_kv}.");
        }

        _kv = kv;
    }

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
