using Serving.Text.Tokenization.Json;

namespace Serving.Text.Tokenization.Gguf;

/// <summary>WordPiece as GGUF's <c>bert</c>, which marks the tokens that begin a word where tokenizer.json marks the others.</summary>
internal static class WordPieceConversion
{
    private const string ContinuingPrefix = "##";

    public static GgufVocabulary Convert(VocabularySource source, GgufVocabulary common)
    {
        Check(source);
        HashSet<int> added = [.. source.Added.Select(token => token.Id)];
        return common with
        {
            Model = "bert",
            Tokens = [.. common.Tokens.Select((token, id) => added.Contains(id) ? token : Mark(token))],
            BosId = source.PrefixIds[0],
            SeparatorId = source.SuffixIds[0],
        };
    }

    private static string Mark(string token) => token.StartsWith(ContinuingPrefix, StringComparison.Ordinal)
        ? token[ContinuingPrefix.Length..]
        : token.Length > 1 && token[0] == '[' && token[^1] == ']' ? token : "▁" + token;

    private static void Check(VocabularySource source)
    {
        if (source.ModelText("continuing_subword_prefix") is not ("" or ContinuingPrefix))
        {
            throw new TokenizerFormatException("model.continuing_subword_prefix", $"is not {ContinuingPrefix}, which is what GGUF's bert tokenizer takes it for.");
        }

        bool isBert = source.Normalizers is [JsonFields normalizer] && normalizer.String("type") == "BertNormalizer" && normalizer.Bool("lowercase", true)
            && normalizer.Bool("clean_text", true) && normalizer.Bool("handle_chinese_chars", true) && normalizer.Bool("strip_accents", true);
        if (!isBert)
        {
            throw new TokenizerFormatException("normalizer", "is not BERT's with lower case and without accents, the only one that GGUF's bert tokenizer has.");
        }

        if (source.PreTokenizers is not [JsonFields stage] || stage.String("type") != "BertPreTokenizer")
        {
            throw new TokenizerFormatException("pre_tokenizer", "is not BertPreTokenizer, the only one that GGUF's bert tokenizer has.");
        }

        if (source.PrefixIds.Count != 1 || source.SuffixIds.Count != 1)
        {
            throw new TokenizerFormatException("post_processor", "does not put one token before a text and one after it, as GGUF's bert tokenizer does.");
        }
    }
}
