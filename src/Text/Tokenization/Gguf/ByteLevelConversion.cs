using System.Text.RegularExpressions;
using Serving.Text.Tokenization.Json;

namespace Serving.Text.Tokenization.Gguf;

/// <summary>Byte-level BPE as GGUF's <c>gpt2</c>: merges as they are, the split expressions by a name that llama.cpp knows.</summary>
internal static class ByteLevelConversion
{
    public static GgufVocabulary Convert(VocabularySource source, GgufVocabulary common, string pre) => VocabularyTokens.WithSurroundings(source, common) with
    {
        Model = "gpt2",
        Pre = pre,
        Merges = [.. source.Merges().Select(merge => $"{merge.Left} {merge.Right}")],
    };

    /// <summary>The <c>pre</c> names that stand for the tokenizer's expressions, the likeliest first.</summary>
    /// <exception cref="TokenizerFormatException">There are none; the message names the expressions.</exception>
    public static List<string> FindPreTokenizers(VocabularySource source)
    {
        foreach (string name in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
        {
            if (source.ModelText(name).Length > 0)
            {
                throw new TokenizerFormatException($"model.{name}", $"is '{source.ModelText(name)}', which GGUF cannot express.");
            }
        }

        bool composes = ReadNormalizers(source.Normalizers);
        List<string> expressions = [.. source.PreTokenizers.SelectMany(ReadStage)];
        List<string> names = [.. GgufPreTokenizer.FindNames(expressions, composes, source.Has("ignore_merges"))];
        if (names.Count > 0)
        {
            return names;
        }

        if (GgufPreTokenizer.FindNames(expressions, !composes, false).FirstOrDefault() is string otherwise)
        {
            throw new TokenizerFormatException(
                "normalizer", $"{(composes ? "is NFC" : "is missing")}, but the pre-tokenizer '{otherwise}', which GGUF names its expressions by, {(composes ? "composes no characters" : "composes characters")}.");
        }

        throw new TokenizerFormatException(
            "pre_tokenizer", $"splits by expressions that no GGUF pre-tokenizer stands for: {string.Join("   then   ", expressions)}");
    }

    private static bool ReadNormalizers(List<JsonFields> normalizers)
    {
        foreach (JsonFields normalizer in normalizers)
        {
            if (normalizer.String("type") != "NFC")
            {
                throw new TokenizerFormatException(normalizer.PathOf("type"), $"is '{normalizer.String("type")}'; with byte-level BPE, GGUF can express none but NFC.");
            }
        }

        return normalizers.Count > 0;
    }

    private static IEnumerable<string> ReadStage(JsonFields stage)
    {
        switch (stage.String("type"))
        {
            case "Split":
                JsonFields pattern = stage.Object("pattern");
                string behavior = stage.String("behavior");

                // What an inverted expression that covers everything leaves out is nothing, so removing that is the same as keeping the matches apart.
                if ((behavior, stage.Bool("invert", false)) is not (("Isolated", false) or ("Removed", true)))
                {
                    throw new TokenizerFormatException(stage.PathOf("behavior"), $"is '{behavior}', which GGUF cannot express; it splits by isolated matches.");
                }

                return [pattern.OptionalString("Regex") ?? Regex.Escape(pattern.String("String"))];
            case "Digits":
                return [stage.Bool("individual_digits", false) ? @"\p{N}" : @"\p{N}+"];
            case "ByteLevel":
                if (stage.Bool("add_prefix_space", true))
                {
                    throw new TokenizerFormatException(stage.PathOf("add_prefix_space"), "is true, which GGUF cannot express for byte-level BPE.");
                }

                return stage.Bool("use_regex", true) ? [PreTokenizerReader.ByteLevelRegex] : [];
            default:
                throw new TokenizerFormatException(stage.PathOf("type"), $"is '{stage.String("type")}', which GGUF cannot express; it has Split, Digits and ByteLevel.");
        }
    }
}
