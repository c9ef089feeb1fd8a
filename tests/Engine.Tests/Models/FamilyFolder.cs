using System.Text.Json.Nodes;
using Serving.Engine.Formats;
using Serving.Engine.Models;
using Serving.TestKit;

namespace Serving.Engine.Tests;

/// <summary>A Hugging Face folder of a few kilobytes, in the shape of Llama unless a test says otherwise, that goes away with the test.</summary>
internal sealed class FamilyFolder : IDisposable
{
    public const int Width = 32;
    public const int Hidden = 64;
    public const int Heads = 4;
    public const int KvHeads = 2;
    public const int HeadDim = 8;

    private readonly string _path = Path.Combine(Path.GetTempPath(), $"serving-{Guid.NewGuid():N}");
    private readonly Random _random = new(1);
    private readonly HashSet<string> _names = [];
    private ModelSource? _source;

    /// <param name="config">Fields of config.json that are added to the common ones or replace them; null takes one away.</param>
    public FamilyFolder(string family, string config = "{}", int layers = 1)
    {
        Config = JsonNode.Parse($$"""
            {
              "model_type": "{{family}}", "hidden_act": "silu", "hidden_size": {{Width}}, "intermediate_size": {{Hidden}}, "max_position_embeddings": 128,
              "num_attention_heads": {{Heads}}, "num_key_value_heads": {{KvHeads}}, "num_hidden_layers": {{layers}}, "rms_norm_eps": 1e-5
            }
            """)!.AsObject();
        foreach ((string name, JsonNode? value) in JsonNode.Parse(config)!.AsObject())
        {
            Config[name] = value?.DeepClone();
        }

        Layers = layers;
        Add("model.embed_tokens.weight", 24, Width);
        Add("model.norm.weight", Width);
    }

    public JsonObject Config { get; }

    public SafetensorsWriter Weights { get; } = new();

    private int Layers { get; }

    /// <summary>A tensor of pseudo-random numbers.</summary>
    public FamilyFolder Add(string name, params long[] shape)
    {
        if (_names.Add(name))
        {
            Weights.Add(name, _random, shape);
        }

        return this;
    }

    /// <summary>Tensors of every layer, or of some.</summary>
    public FamilyFolder AddToLayers(Func<int, bool> of, params (string Name, long[] Shape)[] tensors)
    {
        for (int layer = 0; layer < Layers; layer++)
        {
            if (of(layer))
            {
                Array.ForEach(tensors, tensor => Add($"model.layers.{layer}.{tensor.Name}", tensor.Shape));
            }
        }

        return this;
    }

    public FamilyFolder AddAttention(int headDim = HeadDim) => AddToLayers(
        _ => true,
        ("input_layernorm.weight", [Width]),
        ("post_attention_layernorm.weight", [Width]),
        ("self_attn.q_proj.weight", [Heads * headDim, Width]),
        ("self_attn.k_proj.weight", [KvHeads * headDim, Width]),
        ("self_attn.v_proj.weight", [KvHeads * headDim, Width]),
        ("self_attn.o_proj.weight", [Width, Heads * headDim]));

    public FamilyFolder AddMlp(Func<int, bool>? of = null) => AddToLayers(
        of ?? (_ => true), ("mlp.gate_proj.weight", [Hidden, Width]), ("mlp.up_proj.weight", [Hidden, Width]), ("mlp.down_proj.weight", [Width, Hidden]));

    /// <summary>A router and experts with tensors of their own.</summary>
    public FamilyFolder AddExperts(int count, int hidden, Func<int, bool>? of = null)
    {
        AddToLayers(of ?? (_ => true), ("mlp.gate.weight", [count, Width]));
        for (int expert = 0; expert < count; expert++)
        {
            AddToLayers(
                of ?? (_ => true),
                ($"mlp.experts.{expert}.gate_proj.weight", [hidden, Width]),
                ($"mlp.experts.{expert}.up_proj.weight", [hidden, Width]),
                ($"mlp.experts.{expert}.down_proj.weight", [Width, hidden]));
        }

        return this;
    }

    /// <summary>Norms of queries and keys, head by head.</summary>
    public FamilyFolder AddHeadNorms(int headDim = HeadDim) =>
        AddToLayers(_ => true, ("self_attn.q_norm.weight", [headDim]), ("self_attn.k_norm.weight", [headDim]));

    /// <summary>Llama's tensors.</summary>
    public static FamilyFolder Dense(string family, string config = "{}", int layers = 1) => new FamilyFolder(family, config, layers).AddAttention().AddMlp();

    /// <summary>Writes the folder and reads it as a model; the graph's weights are valid until this is disposed of.</summary>
    public ModelGraph Build(int contextTokensMax = int.MaxValue)
    {
        Directory.CreateDirectory(_path);
        File.WriteAllText(Path.Combine(_path, "config.json"), Config.ToJsonString());
        Weights.Write(Path.Combine(_path, "model.safetensors"));
        _source = ModelSource.Open(_path);
        return ModelGraph.Build(_source, contextTokensMax);
    }

    public void AssertRefused(string expected)
    {
        var error = Assert.Throws<ModelFormatException>(() => Build());
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _source?.Dispose();
        if (Directory.Exists(_path))
        {
            Directory.Delete(_path, recursive: true);
        }
    }
}
