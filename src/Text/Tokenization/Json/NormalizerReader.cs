using System.Text.Json;
using Serving.Text.Tokenization.Normalizers;
using Serving.Text.Tokenization.PreTokenizers;

namespace Serving.Text.Tokenization.Json;

/// <summary>Reads tokenizer.json's <c>normalizer</c>.</summary>
internal static class NormalizerReader
{
    public static Normalizer Read(JsonFields fields)
    {
        string type = fields.String("type");
        Normalizer normalizer = type switch
        {
            "Sequence" => ReadSequence(fields),
            "NFC" => new UnicodeNormalizer(compose: true, compatibility: false),
            "NFD" => new UnicodeNormalizer(compose: false, compatibility: false),
            "NFKC" => new UnicodeNormalizer(compose: true, compatibility: true),
            "NFKD" => new UnicodeNormalizer(compose: false, compatibility: true),
            "Lowercase" => new LowercaseNormalizer(),
            "StripAccents" => new StripAccentsNormalizer(),
            "Strip" => new StripNormalizer(fields.Bool("strip_left", true), fields.Bool("strip_right", true)),
            "Prepend" => new PrependNormalizer(fields.String("prepend")),
            "Replace" => new ReplaceNormalizer(PatternReader.Read(fields.Object("pattern")), fields.String("content")),
            "BertNormalizer" => ReadBert(fields),
            _ => throw new TokenizerFormatException(fields.PathOf("type"), $"'{type}' is not a normalizer that is supported (NFC, NFD, NFKC, NFKD, "
                + "Lowercase, StripAccents, Strip, Prepend, Replace, BertNormalizer, Sequence)."),
        };
        fields.End();
        return normalizer;
    }

    private static NormalizerSequence ReadSequence(JsonFields fields)
    {
        List<Normalizer> normalizers = [];
        foreach (JsonElement item in fields.Array("normalizers").EnumerateArray())
        {
            normalizers.Add(Read(new JsonFields(item, $"{fields.PathOf("normalizers")}[{normalizers.Count}]")));
        }

        return new NormalizerSequence(normalizers);
    }

    private static BertNormalizer ReadBert(JsonFields fields)
    {
        bool lowercase = fields.Bool("lowercase", true);
        return new BertNormalizer(
            fields.Bool("clean_text", true), fields.Bool("handle_chinese_chars", true), fields.Bool("strip_accents", lowercase), lowercase);
    }
}
