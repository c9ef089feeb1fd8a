using System.Text.Json;
using Serving.Text.Tokenization.Gguf;
using Serving.Text.Tokenization.Json;

namespace Serving.Text.Tokenization;

/// <summary>
/// Makes a GGUF vocabulary of a Hugging Face tokenizer.json. What the result encodes is held against the original before it is given out; what GGUF cannot express is refused
/// by the field's name. Two things are known to be lost and let pass: llama.cpp does not compose characters (NFC) for the pre-tokenizers of Qwen, and WordPiece has no longest word.
/// </summary>
public static class GgufVocabularyConversion
{
    /// <exception cref="TokenizerFormatException">The file is damaged, or GGUF cannot express it.</exception>
    public static GgufVocabulary Convert(string path, GgufVocabularyOptions options)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert(stream, options);
    }

    /// <inheritdoc cref="Convert(string, GgufVocabularyOptions)"/>
    public static GgufVocabulary Convert(Stream json, GgufVocabularyOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        using MemoryStream copy = new();
        json.CopyTo(copy);
        copy.Position = 0;
        ITokenizer original = TokenizerJson.Load(copy, new TokenizerJsonOptions
        {
            BeginOfText = options.BeginOfText,
            EndOfText = options.EndOfText,
            EndOfGenerationIds = options.EndOfGenerationIds,
        });

        copy.Position = 0;
        using JsonDocument document = JsonDocument.Parse(copy);
        VocabularySource source = new(new JsonFields(document.RootElement, ""), options);
        GgufVocabulary common = VocabularyTokens.Build(source);
        return source.ModelType switch
        {
            "WordPiece" => Verified(WordPieceConversion.Convert(source, common), original),
            _ when source.IsByteLevel => ConvertByteLevel(source, common, original),
            _ => Verified(SentencePieceConversion.Convert(source, common), original),
        };

        GgufVocabulary Verified(GgufVocabulary vocabulary, ITokenizer reference) => VocabularyProbe.FindDifference(reference, vocabulary, source) is string difference
            ? throw new TokenizerFormatException("(tokenizer)", difference)
            : vocabulary;
    }

    /// <summary>Of the pre-tokenizers with the same expressions, the first with which every probe gives the same ids.</summary>
    private static GgufVocabulary ConvertByteLevel(VocabularySource source, GgufVocabulary common, ITokenizer original)
    {
        string? difference = null;
        foreach (string name in ByteLevelConversion.FindPreTokenizers(source))
        {
            GgufVocabulary vocabulary = ByteLevelConversion.Convert(source, common, name);
            string? found = VocabularyProbe.FindDifference(original, vocabulary, source);
            if (found is null)
            {
                return vocabulary;
            }

            difference ??= found;
        }

        throw new TokenizerFormatException("(tokenizer)", difference!);
    }
}
