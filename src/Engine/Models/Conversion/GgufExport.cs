using System.Globalization;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;
using Serving.Engine.Formats.Gguf;
using Serving.Engine.Formats.HuggingFace;

namespace Serving.Engine.Models.Conversion;

/// <summary>A Hugging Face model on its way into a GGUF file. The family's spec adds what only it has.</summary>
internal sealed partial class GgufExport
{
    private static readonly string[] _suffixes = [".weight", ".bias"];

    private readonly HuggingFaceSource _source;
    private readonly TensorNames _from;
    private readonly TensorNames _to;
    private readonly HashSet<string> _written = new(StringComparer.Ordinal);

    public GgufExport(HuggingFaceSource source, ModelGraph graph, ArchitectureSpec spec, GgmlType target)
    {
        _source = source;
        _from = spec.Names(source);
        _to = spec.GgufTensorNames();
        Graph = graph;
        Family = spec.GgufFamily(source.Settings);
        IsTied = graph.Head[^1] is ProjectLogits project && project.Weight == TokenEmbedding;
        Plan = new QuantizationPlan(target, graph.Config.Layers, IsTied);
        NormOffset = spec.NormOffset(ModelFormat.HuggingFace) - spec.NormOffset(ModelFormat.Gguf);
    }

    public ModelGraph Graph { get; }

    public ModelConfig Config => Graph.Config;

    public ModelSettings Settings => _source.Settings;

    public GgufFileWriter Writer { get; } = new();

    public QuantizationPlan Plan { get; }

    /// <summary>The architecture's name in GGUF.</summary>
    public string Family { get; }

    /// <summary>Added to the weights of norms.</summary>
    public float NormOffset { get; }

    /// <summary>Heads whose rows are to be reordered for a rotation of neighbours, by the tensor's name; the rotation of Hugging Face turns halves.</summary>
    public Dictionary<string, int> InterleavedHeads { get; } = new(StringComparer.Ordinal);

    /// <summary>Elements of a head that are turned.</summary>
    public int RopeDims => Graph.Ropes[0].Dims;

    private bool IsTied { get; }

    private MatrixWeight TokenEmbedding => ((EmbedTokens)Graph.Embedding[0]).Table;

    public void Set(SettingKey key, int value) => Writer.Set(Full(key), (uint)value);

    public void Set(SettingKey key, float value) => Writer.Set(Full(key), value);

    public void Set(SettingKey key, bool value) => Writer.Set(Full(key), value);

    public void Set(SettingKey key, string value) => Writer.Set(Full(key), value);

    /// <summary>The error for a setting that the file cannot express.</summary>
    public ModelFormatException Refuse(SettingKey key, string reason) => Settings.Invalid(key, $"cannot be written as GGUF: {reason}");

    /// <summary>Refuses windows where llama.cpp's code for the family has none.</summary>
    public void RefuseWindows()
    {
        foreach (AttentionSpec attention in Graph.Attentions)
        {
            if (attention.Window > 0)
            {
                throw Refuse(SettingKeys.Window, $"the architecture {Family} has no sliding window there");
            }
        }
    }

    /// <summary>Refuses layers without experts beside layers with them.</summary>
    public void RefuseDenseLayers()
    {
        var sparse = new bool[Config.Layers];
        for (int layer = 0; layer < sparse.Length; layer++)
        {
            sparse[layer] = FindExperts(layer) is not null;
        }

        int dense = Array.IndexOf(sparse, false);
        if (dense >= 0 && Array.IndexOf(sparse, true) >= 0)
        {
            throw Refuse(new SettingKey(null, "mlp_only_layers", "decoder_sparse_step"), $"layer {dense} has no experts and others have, which {Family} does not know");
        }
    }

    /// <summary>Refuses the other way of weighting experts than the one that llama.cpp's code for the family has.</summary>
    public void RefuseRenormalization(RouterSpec router, bool expected)
    {
        if (router.Renormalize != expected)
        {
            throw Refuse(SettingKeys.ExpertWeightsNormalized, $"llama.cpp {(expected ? "divides" : "does not divide")} the chosen experts' weights by their sum in this family");
        }
    }

    /// <summary>The experts of the first layer that has some, or null.</summary>
    public ExpertSet? FindExperts()
    {
        for (int layer = 0; layer < Config.Layers; layer++)
        {
            if (FindExperts(layer) is { } experts)
            {
                return experts;
            }
        }

        return null;
    }

    public void SetSizes()
    {
        Set(SettingKeys.Layers, Config.Layers);
        Set(SettingKeys.ContextLength, Config.ContextLength);
        Set(SettingKeys.Width, Config.Width);
        Set(SettingKeys.FeedForwardWidth, Config.FeedForwardWidth);
        Set(SettingKeys.Heads, Config.Heads);
        Set(SettingKeys.KvHeads, Config.KvHeads);
        Set(SettingKeys.KeyLength, Config.HeadDim);
        Set(SettingKeys.ValueLength, Config.HeadDim);
        Set(SettingKeys.NormEpsilon, Config.NormEpsilon);
        Set(SettingKeys.VocabularySize, Config.VocabularySize);
    }

    /// <summary>What all mixtures of experts have.</summary>
    public void SetExperts(RouterSpec router, int hiddenWidth)
    {
        Set(SettingKeys.Experts, router.Experts);
        Set(SettingKeys.ExpertsUsed, router.Used);
        Set(SettingKeys.ExpertWidth, hiddenWidth);
    }

    /// <summary>Adds every tensor of the model under its GGUF name.</summary>
    /// <exception cref="ModelFormatException">A tensor has no place in GGUF.</exception>
    public void AddTensors()
    {
        Add(_from.Global("token_embd"), _to.Global("token_embd"), "token_embd");
        Add(_from.Global("output_norm"), _to.Global("output_norm"), "output_norm");
        if (!IsTied)
        {
            Add(_from.Output, _to.Output, "output");
        }

        for (int layer = 0; layer < Config.Layers; layer++)
        {
            foreach (string name in _from.LayerNames)
            {
                AddOfLayer(layer, name);
            }
        }

        RefuseLeftOvers();
    }

    private ExpertSet? FindExperts(int layer)
    {
        foreach (Operation operation in Graph.Layers[layer])
        {
            if (operation is MixExperts mix)
            {
                return mix.Set;
            }
        }

        return null;
    }

    private void AddOfLayer(int layer, string name)
    {
        foreach (string suffix in _suffixes)
        {
            string to = _to.Layer(layer, name) + suffix;
            string from = _from.Layer(layer, name) + suffix;
            if (from.Contains("{0}", StringComparison.Ordinal))
            {
                AddStack(layer, name, suffix, to);
            }
            else if (_source.FindTensor(from) is not null)
            {
                Add(from, to, name);
            }
        }
    }

    private void Add(string from, string to, string name)
    {
        ModelTensor tensor = _source.FindTensor(from) ?? throw _source.Missing(from);
        RawTensor rows = tensor.AsMatrix();
        bool isVector = tensor.Shape.Count == 1 || (rows.Outputs == 1 && name == "ffn_gate_inp_shexp");
        float offset = name.EndsWith("_norm", StringComparison.Ordinal) ? NormOffset : 0;
        int heads = InterleavedHeads.GetValueOrDefault(name);
        Add(to, isVector ? [rows.Inputs] : [rows.Inputs, rows.Outputs], tensor.Path, (row, destination) =>
        {
            int source = heads == 0 || isVector ? (int)row : RowOfNeighbours((int)row, rows.Outputs / heads);
            BlockDecoder.Decode(rows.Type, rows.Row(source), destination);
            for (int i = 0; offset != 0 && i < destination.Length; i++)
            {
                destination[i] += offset;
            }

            if (isVector && heads != 0)
            {
                Reorder(destination, destination.Length / heads);
            }
        });
        _written.Add(from);
    }

    /// <summary>The experts of a layer, one after the other.</summary>
    private void AddStack(int layer, string name, string suffix, string to)
    {
        string FirstOf(int expert) => _from.Expert(layer, expert, name) + suffix;
        if (_source.FindTensor(FirstOf(0)) is not { } first)
        {
            return;
        }

        var experts = new List<RawTensor>();
        while (_source.FindTensor(FirstOf(experts.Count)) is { } expert)
        {
            experts.Add(expert.AsMatrix());
            _written.Add(expert.Name);
        }

        int outputs = experts[0].Outputs;
        Add(to, [experts[0].Inputs, outputs, experts.Count], first.Path, (row, destination) =>
        {
            RawTensor expert = experts[(int)(row / outputs)];
            BlockDecoder.Decode(expert.Type, expert.Row((int)(row % outputs)), destination);
        });
    }

    private void Add(string to, long[] dimensions, string source, RowReader rows) => Writer.Add(to, Plan.TypeOf(to, dimensions), dimensions, rows, source);

    /// <summary>llama.cpp's order of a head's rows: the pairs that Hugging Face turns, (i, i + half), are neighbours.</summary>
    private static int RowOfNeighbours(int row, int headDim)
    {
        int inHead = row % headDim;
        return row - inHead + (inHead / 2) + (inHead % 2 * (headDim / 2));
    }

    private static void Reorder(Span<float> values, int headDim)
    {
        float[] original = values.ToArray();
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = original[RowOfNeighbours(i, headDim)];
        }
    }

    /// <summary>A tensor that nothing reads would be lost without a word. Tables that follow from the settings, and layers after the last, are no loss.</summary>
    private void RefuseLeftOvers()
    {
        foreach (ModelTensor tensor in _source.Tensors)
        {
            bool isDerived = tensor.Name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal) || (IsTied && tensor.Name == _from.Output);
            bool isPredictor = tensor.Name.StartsWith(
                string.Create(CultureInfo.InvariantCulture, $"{_from.Layer(Config.Layers, "")}"), StringComparison.Ordinal);
            if (!isDerived && !isPredictor && !_written.Contains(tensor.Name))
            {
                throw tensor.Error($"has no place in a GGUF file of the architecture {Family}");
            }
        }
    }

    private string Full(SettingKey key) => $"{Family}.{key.Gguf ?? throw new InvalidOperationException($"GGUF has no key for {key.HuggingFace[0]}.")}";
}
