using Serving.Text.Tokenization;

namespace Serving.Engine.Formats.Gguf;

/// <summary>What a GGUF file says of its model besides the weights: names, vocabulary, chat template.</summary>
/// <param name="Name"><c>general.name</c>.</param>
/// <param name="Organization"><c>general.organization</c>.</param>
/// <param name="ChatTemplate"><c>tokenizer.chat_template</c>, Jinja; null for a model that only completes text.</param>
public sealed record GgufModelMetadata(string? Name, string? Organization, GgufVocabulary Vocabulary, string? ChatTemplate)
{
    private const string Prefix = "tokenizer.ggml.";

    /// <exception cref="ModelFormatException">A key is missing or has the wrong type.</exception>
    public static GgufModelMetadata Read(GgufFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        GgufMetadata metadata = file.Metadata;
        return new GgufModelMetadata(
            metadata.FindString("general.name"),
            metadata.FindString("general.organization"),
            ReadVocabulary(metadata),
            metadata.FindString("tokenizer.chat_template"));
    }

    private static GgufVocabulary ReadVocabulary(GgufMetadata metadata) => new()
    {
        Model = metadata.GetString(Prefix + "model"),
        Pre = metadata.FindString(Prefix + "pre"),
        Tokens = metadata.FindStrings(Prefix + "tokens") ?? throw metadata.Invalid(Prefix + "tokens", "is missing"),
        TokenTypes = metadata.FindInt32s(Prefix + "token_type"),
        Scores = metadata.FindSingles(Prefix + "scores"),
        Merges = metadata.FindStrings(Prefix + "merges"),
        BosId = FindId(metadata, "bos"),
        EosId = FindId(metadata, "eos"),
        EotId = FindId(metadata, "eot"),
        EomId = FindId(metadata, "eom"),
        UnknownId = FindId(metadata, "unknown"),
        PaddingId = FindId(metadata, "padding"),
        SeparatorId = FindId(metadata, "seperator"),
        AddBos = metadata.FindBool(Prefix + "add_bos_token"),
        AddEos = metadata.FindBool(Prefix + "add_eos_token"),
        AddSpacePrefix = metadata.FindBool(Prefix + "add_space_prefix"),
    };

    private static int? FindId(GgufMetadata metadata, string token) => metadata.FindInt32($"{Prefix}{token}_token_id", 0, int.MaxValue);
}
