using Serving.Text.Tokenization.Json;
using Serving.Text.Tokenization.PreTokenizers;

namespace Serving.Text.Tokenization.Gguf;

/// <summary>
/// BPE over characters with byte fallback as GGUF's <c>llama</c>: there are no merges, the pair whose token has the highest score is merged first. A token's score is the
/// negated place of the first merge that makes it.
/// </summary>
internal static class SentencePieceConversion
{
    private const string VisibleSpace = "▁";

    public static GgufVocabulary Convert(VocabularySource source, GgufVocabulary common)
    {
        if (!source.Has("byte_fallback"))
        {
            throw new TokenizerFormatException("model.byte_fallback", "is false and the pre-tokenizer is not ByteLevel; GGUF has no BPE that works on neither bytes nor characters with byte fallback.");
        }

        return VocabularyTokens.WithSurroundings(source, common) with
        {
            Model = "llama",
            Pre = "default",
            Scores = Scores(source, common.Tokens),
            AddSpacePrefix = AddsSpace(source),
        };
    }

    private static float[] Scores(VocabularySource source, IReadOnlyList<string> tokens)
    {
        Dictionary<string, int> ranks = [];
        int rank = 0;
        foreach ((string left, string right) in source.Merges())
        {
            ranks.TryAdd(left + right, rank++);
        }

        // What no merge makes is not to be merged before anything else.
        return [.. tokens.Select(token => -(float)(ranks.TryGetValue(token, out int made) ? made : rank))];
    }

    /// <summary>Spaces become visible ones, in the normalizer or in Metaspace, with or without one before the text.</summary>
    private static bool AddsSpace(VocabularySource source)
    {
        bool prefixed = false;
        bool replaced = false;
        foreach (JsonFields normalizer in source.Normalizers)
        {
            switch (normalizer.String("type"))
            {
                case "Prepend" when !replaced && normalizer.String("prepend") == VisibleSpace:
                    prefixed = true;
                    break;
                case "Replace" when normalizer.Object("pattern").OptionalString("String") == " " && normalizer.String("content") == VisibleSpace:
                    replaced = true;
                    break;
                default:
                    throw new TokenizerFormatException(normalizer.Path, $"({normalizer.String("type")}) is not what GGUF's llama tokenizer does; it replaces spaces by {VisibleSpace} and may put one before the text.");
            }
        }

        foreach (JsonFields stage in source.PreTokenizers)
        {
            switch (stage.String("type"))
            {
                case "Split" when replaced && stage.Object("pattern").OptionalString("String") == " ":
                    // There are no spaces left to split at.
                    break;
                case "Metaspace" when !replaced && stage.Char("replacement") == VisibleSpace[0]:
                    prefixed |= Prepends(stage);
                    replaced = true;
                    break;
                default:
                    throw new TokenizerFormatException(stage.Path, $"({stage.String("type")}) is not what GGUF's llama tokenizer does; it does not split text.");
            }
        }

        return replaced ? prefixed : throw new TokenizerFormatException("normalizer", $"does not replace spaces by {VisibleSpace}, which GGUF's llama tokenizer always does.");
    }

    private static bool Prepends(JsonFields metaspace) => PreTokenizerReader.ReadPrepend(metaspace) switch
    {
        MetaspacePrepend.Always => true,
        MetaspacePrepend.Never => false,
        _ => throw new TokenizerFormatException(metaspace.PathOf("prepend_scheme"), "is 'first', which GGUF cannot express: it puts a space after special tokens too."),
    };
}
