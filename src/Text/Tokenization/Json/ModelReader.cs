using System.Text.Json;
using Serving.Text.Tokenization.Models;

namespace Serving.Text.Tokenization.Json;

/// <summary>Reads tokenizer.json's <c>model</c>.</summary>
internal sealed class ModelReader(JsonFields fields, bool byteLevel)
{
    public Dictionary<string, int> Vocabulary { get; } = [];

    /// <summary>The text of the unknown token, if the model has one.</summary>
    public string? UnknownToken { get; private set; }

    public ITokenModel Read()
    {
        // Files of before the field existed are told apart by what only BPE has.
        string type = fields.OptionalString("type") ?? (fields.Optional("merges") is null ? "WordPiece" : "BPE");
        ReadVocabulary();
        UnknownToken = fields.OptionalString("unk_token");
        ITokenModel model = type switch
        {
            "BPE" => new BpeModel(ReadBpe()),
            "WordPiece" => ReadWordPiece(),
            _ => throw new TokenizerFormatException(fields.PathOf("type"), $"'{type}' is not a model that is supported (BPE, WordPiece)."),
        };
        fields.End();
        return model;
    }

    private void ReadVocabulary()
    {
        JsonElement vocabulary = fields.Required("vocab");
        if (vocabulary.ValueKind != JsonValueKind.Object)
        {
            throw new TokenizerFormatException(fields.PathOf("vocab"), "is not an object of tokens and ids; of the models, BPE and WordPiece are supported.");
        }

        foreach (JsonProperty token in vocabulary.EnumerateObject())
        {
            Vocabulary[token.Name] = JsonFields.AsInt(token.Value, fields.PathOf("vocab"));
        }
    }

    private BpeVocabulary ReadBpe()
    {
        if (fields.Optional("dropout") is JsonElement dropout && !(dropout.ValueKind == JsonValueKind.Number && dropout.GetDouble() == 0))
        {
            throw new TokenizerFormatException(fields.PathOf("dropout"), "makes encoding random, which serving cannot use; set it to null.");
        }

        string prefix = fields.OptionalString("continuing_subword_prefix") ?? "";
        MergeTable merges = ReadMerges(prefix, out bool mergesBytes);
        return new BpeVocabulary
        {
            IdsByText = Vocabulary,
            Merges = merges,
            ByteIds = byteLevel ? BpeVocabulary.FindByteLevelIds(Vocabulary) : ByteTokens.Find(Vocabulary),
            ByteLevel = byteLevel,
            ByteFallback = fields.Bool("byte_fallback", false),
            IgnoreMerges = fields.Bool("ignore_merges", false),
            UnknownId = UnknownToken is null ? null : FindUnknown(),
            FuseUnknown = fields.Bool("fuse_unk", false),
            ContinuingPrefix = prefix,
            EndSuffix = fields.OptionalString("end_of_word_suffix") ?? "",
            MergesBytes = mergesBytes,
        };
    }

    private MergeTable ReadMerges(string prefix, out bool mergesBytes)
    {
        JsonElement list = fields.Array("merges");
        MergeTable merges = new(list.GetArrayLength());
        mergesBytes = false;
        uint rank = 0;
        foreach (JsonElement merge in list.EnumerateArray())
        {
            string path = $"{fields.PathOf("merges")}[{rank}]";
            (string left, string right) = ReadPair(merge, path);
            mergesBytes |= ByteTokens.TryParse(left, out _) || ByteTokens.TryParse(right, out _);
            string merged = right.StartsWith(prefix, StringComparison.Ordinal) ? left + right[prefix.Length..] : left + right;
            merges.Add(FindId(left, path), FindId(right, path), rank++, FindId(merged, path), replace: true);
        }

        return merges;
    }

    private static (string Left, string Right) ReadPair(JsonElement merge, string path)
    {
        if (merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2)
        {
            return (JsonFields.AsString(merge[0], path), JsonFields.AsString(merge[1], path));
        }

        string[] parts = JsonFields.AsString(merge, path).Split(' ');
        return parts.Length == 2 ? (parts[0], parts[1]) : throw new TokenizerFormatException(path, $"'{merge}' is not two tokens with a space between.");
    }

    private WordPieceModel ReadWordPiece()
    {
        string prefix = fields.OptionalString("continuing_subword_prefix") ?? "##";
        int wordCharactersMax = fields.Optional("max_input_chars_per_word") is null ? 100 : fields.Int("max_input_chars_per_word");
        UnknownToken ??= "[UNK]";
        Dictionary<string, int> continuing = Vocabulary.Where(token => token.Key.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(token => token.Key[prefix.Length..], token => token.Value);
        return new WordPieceModel(Vocabulary, continuing, FindUnknown(), wordCharactersMax);
    }

    private int FindUnknown() => FindId(UnknownToken!, fields.PathOf("unk_token"));

    private int FindId(string token, string path) =>
        Vocabulary.TryGetValue(token, out int id) ? id : throw new TokenizerFormatException(path, $"'{token}' is not in the vocabulary.");
}
