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

    /// <summary>Sets the keys that <see cref="Read"/> reads; what is null is left out.</summary>
    public void Write(GgufFileWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Set(writer, "general.name", Name);
        Set(writer, "general.organization", Organization);
        writer.Set(Prefix + "model", Vocabulary.Model);
        Set(writer, Prefix + "pre", Vocabulary.Pre);
        writer.Set(Prefix + "tokens", Vocabulary.Tokens);
        WriteLists(writer);
        WriteId(writer, "bos", Vocabulary.BosId);
        WriteId(writer, "eos", Vocabulary.EosId);
        WriteId(writer, "eot", Vocabulary.EotId);
        WriteId(writer, "eom", Vocabulary.EomId);
        WriteId(writer, "unknown", Vocabulary.UnknownId);
        WriteId(writer, "padding", Vocabulary.PaddingId);
        WriteId(writer, "seperator", Vocabulary.SeparatorId);
        Set(writer, Prefix + "add_bos_token", Vocabulary.AddBos);
        Set(writer, Prefix + "add_eos_token", Vocabulary.AddEos);
        Set(writer, Prefix + "add_space_prefix", Vocabulary.AddSpacePrefix);
        Set(writer, "tokenizer.chat_template", ChatTemplate);
    }

    private void WriteLists(GgufFileWriter writer)
    {
        if (Vocabulary.TokenTypes is { } types)
        {
            writer.Set(Prefix + "token_type", types);
        }

        if (Vocabulary.Scores is { } scores)
        {
            writer.Set(Prefix + "scores", scores);
        }

        if (Vocabulary.Merges is { } merges)
        {
            writer.Set(Prefix + "merges", merges);
        }
    }

    private static void Set(GgufFileWriter writer, string key, string? value)
    {
        if (value is not null)
        {
            writer.Set(key, value);
        }
    }

    private static void Set(GgufFileWriter writer, string key, bool? value)
    {
        if (value is { } known)
        {
            writer.Set(key, known);
        }
    }

    private static void WriteId(GgufFileWriter writer, string token, int? id)
    {
        if (id is { } known)
        {
            writer.Set($"{Prefix}{token}_token_id", (uint)known);
        }
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
