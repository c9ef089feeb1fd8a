using System.Text.Json;
using Serving.Text.Tokenization.AddedTokens;
using Serving.Text.Tokenization.Json;

namespace Serving.Text.Tokenization.Gguf;

/// <summary>The parts of a tokenizer.json that a GGUF vocabulary is made of. The file has been read by <see cref="TokenizerJson"/> before: its shape is right.</summary>
internal sealed class VocabularySource
{
    private readonly JsonFields _model;

    public VocabularySource(JsonFields root, GgufVocabularyOptions options)
    {
        Options = options;
        _model = root.Object("model");
        ModelType = _model.OptionalString("type") ?? (_model.Optional("merges") is null ? "WordPiece" : "BPE");
        UnknownToken = _model.OptionalString("unk_token");
        foreach (JsonProperty token in _model.Required("vocab").EnumerateObject())
        {
            Vocabulary[token.Name] = token.Value.GetInt32();
        }

        Added = TokenizerJson.ReadAddedTokens(root);
        Normalizers = Flatten(root, "normalizer", "normalizers");
        PreTokenizers = Flatten(root, "pre_tokenizer", "pretokenizers");
        PostProcessorReader postProcessor = new();
        if (root.Optional("post_processor") is not null)
        {
            postProcessor.Read(root.Object("post_processor"));
        }

        PrefixIds = postProcessor.PrefixIds;
        SuffixIds = postProcessor.SuffixIds;
    }

    public GgufVocabularyOptions Options { get; }

    public string ModelType { get; }

    public string? UnknownToken { get; }

    public Dictionary<string, int> Vocabulary { get; } = [];

    public List<AddedToken> Added { get; }

    /// <summary>In the order that they work in, sequences resolved.</summary>
    public List<JsonFields> Normalizers { get; }

    /// <inheritdoc cref="Normalizers"/>
    public List<JsonFields> PreTokenizers { get; }

    public IReadOnlyList<int> PrefixIds { get; }

    public IReadOnlyList<int> SuffixIds { get; }

    public bool IsByteLevel => PreTokenizers.Exists(stage => stage.String("type") == "ByteLevel");

    public bool Has(string flag) => _model.Bool(flag, false);

    public string ModelText(string name) => _model.OptionalString(name) ?? "";

    /// <summary>The merges in their order.</summary>
    public IEnumerable<(string Left, string Right)> Merges()
    {
        foreach (JsonElement merge in _model.Array("merges").EnumerateArray())
        {
            if (merge.ValueKind == JsonValueKind.Array)
            {
                yield return (merge[0].GetString()!, merge[1].GetString()!);
            }
            else
            {
                string[] parts = merge.GetString()!.Split(' ');
                yield return (parts[0], parts[1]);
            }
        }
    }

    private static List<JsonFields> Flatten(JsonFields root, string name, string itemsName)
    {
        List<JsonFields> flat = [];
        if (root.Optional(name) is not null)
        {
            Add(root.Object(name));
        }

        return flat;

        void Add(JsonFields fields)
        {
            if (fields.String("type") != "Sequence")
            {
                flat.Add(fields);
                return;
            }

            int index = 0;
            foreach (JsonElement item in fields.Array(itemsName).EnumerateArray())
            {
                Add(new JsonFields(item, $"{fields.PathOf(itemsName)}[{index++}]"));
            }
        }
    }
}
