using Serving.Engine.Formats.Gguf;
using Serving.Text.Tokenization;

namespace Serving.Engine.Formats.HuggingFace;

/// <summary>What a Hugging Face folder says of text, in GGUF's words.</summary>
internal static class HuggingFaceVocabulary
{
    /// <exception cref="ModelFormatException">A file is missing, or GGUF cannot express what it says.</exception>
    public static GgufModelMetadata Read(HuggingFaceSource source, int vocabularySize)
    {
        // What is missing or broken is said as when the folder is served.
        ModelText text = source.ReadText();
        JsonFields? config = HuggingFaceText.Find(source.Path, "tokenizer_config.json");
        JsonFields? special = HuggingFaceText.Find(source.Path, "special_tokens_map.json");
        var options = new GgufVocabularyOptions
        {
            BeginOfText = Token("bos_token"),
            EndOfText = Token("eos_token"),
            Unknown = Token("unk_token"),
            Padding = Token("pad_token"),
            AddsBeginOfText = config?.FindBool("add_bos_token"),
            AddsEndOfText = config?.FindBool("add_eos_token"),
            EndOfGenerationIds = [.. text.Tokenizer.EndOfGenerationIds],
            VocabularySize = vocabularySize,
        };
        string path = Path.Combine(source.Path, HuggingFaceText.TokenizerFile);
        try
        {
            GgufVocabulary vocabulary = GgufVocabularyConversion.Convert(path, options);
            return new GgufModelMetadata(NameThatLoads(Path.GetFileName(source.Path), vocabulary), null, vocabulary, text.ChatTemplate);
        }
        catch (TokenizerFormatException exception)
        {
            throw new ModelFormatException(path, null, "the tokenizer", $"cannot be written as GGUF: {exception.Message.TrimEnd('.')}");
        }

        string? Token(string name) => HuggingFaceText.Token(config, name) ?? HuggingFaceText.Token(special, name);
    }

    /// <summary>llama.cpp looks for some tokens of Phi-3 in every model with that in its name, and does not load one that lacks them.</summary>
    private static string NameThatLoads(string name, GgufVocabulary vocabulary)
    {
        var tokens = new HashSet<string>(vocabulary.Tokens, StringComparer.Ordinal);
        return tokens.IsSupersetOf(["<unk>", "<s>", "<|endoftext|>"])
            ? name
            : name.Replace("phi-3", "phi 3", StringComparison.OrdinalIgnoreCase).Replace("phi3", "phi 3", StringComparison.OrdinalIgnoreCase);
    }
}
