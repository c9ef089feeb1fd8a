using System.Text.Json;
using Serving.Text.Tokenization.AddedTokens;
using Serving.Text.Tokenization.Decoding;
using Serving.Text.Tokenization.Json;
using Serving.Text.Tokenization.Models;
using Serving.Text.Tokenization.Normalizers;

namespace Serving.Text.Tokenization;

/// <summary>
/// Loads a Hugging Face tokenizer.json. The result encodes and decodes as the <c>tokenizers</c> library does; a field that is not
/// understood is refused by name. <c>truncation</c> and <c>padding</c> are left to callers: nothing is cut or filled up.
/// </summary>
public static class TokenizerJson
{
    /// <summary>More than any vocabulary; an id beyond it is a damaged file, and tables by id would not fit memory.</summary>
    private const int IdMax = 1 << 24;

    /// <summary>Ids that name no token are rare; tables by id must not be large because a small file says one large number.</summary>
    private const int UnusedIdsMax = 1 << 16;

    /// <exception cref="TokenizerFormatException">The file is not JSON, is damaged or asks for something that is not supported.</exception>
    public static ITokenizer Load(string path, TokenizerJsonOptions? options = null)
    {
        using FileStream stream = File.OpenRead(path);
        return Load(stream, options);
    }

    /// <inheritdoc cref="Load(string, TokenizerJsonOptions?)"/>
    public static ITokenizer Load(Stream stream, TokenizerJsonOptions? options = null)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(stream);
            return Read(new JsonFields(document.RootElement, ""), options ?? new TokenizerJsonOptions());
        }
        catch (JsonException error)
        {
            throw new TokenizerFormatException("(file)", $"is not JSON: {error.Message}", error);
        }
        catch (InvalidOperationException error)
        {
            // What the parser leaves unchecked and throws when a string is read: half a surrogate pair, or bytes that are not UTF-8.
            throw new TokenizerFormatException("(file)", $"holds a string that is no text: {error.Message}", error);
        }
    }

    private static PipelineTokenizer Read(JsonFields root, TokenizerJsonOptions options)
    {
        root.Ignore("version", "truncation", "padding");
        Normalizer? normalizer = root.Optional("normalizer") is null ? null : NormalizerReader.Read(root.Object("normalizer"));
        PreTokenizerReader preTokenizers = new();
        if (root.Optional("pre_tokenizer") is not null)
        {
            preTokenizers.Read(root.Object("pre_tokenizer"));
        }

        DecoderReader decoders = new();
        bool hasDecoder = root.Optional("decoder") is not null;
        if (hasDecoder)
        {
            decoders.Read(root.Object("decoder"));
        }

        PostProcessorReader postProcessor = new();
        if (root.Optional("post_processor") is not null)
        {
            postProcessor.Read(root.Object("post_processor"));
        }

        ModelReader modelReader = new(root.Object("model"), preTokenizers.ByteLevel);
        ITokenModel model = modelReader.Read();
        List<AddedToken> added = ReadAddedTokens(root);
        root.End();

        TokenTable table = BuildTable(modelReader, added, hasDecoder ? decoders.Stages : [TokenDecoders.Spaced]);
        Dictionary<string, int> ids = new(modelReader.Vocabulary);
        added.ForEach(token => ids[token.Content] = token.Id);
        int? begin = FindId(ids, options.BeginOfText, "bos_token");
        int? end = FindId(ids, options.EndOfText, "eos_token");
        Dictionary<string, int> addedIds = added.GroupBy(token => token.Content).ToDictionary(group => group.Key, group => group.Last().Id);
        return new PipelineTokenizer(new AddedVocabulary(added, normalizer), normalizer, preTokenizers.Stages, model, table)
        {
            BeginOfTextId = begin,
            EndOfTextId = end,
            EndOfGenerationIds = EndOfGeneration.Find(
                name => addedIds.TryGetValue(name, out int id) ? id : null, [end, .. options.EndOfGenerationIds.Select(id => (int?)id)]),
            PrefixIds = options.AddBeginOfText && begin is { } first && !postProcessor.PrefixIds.Contains(first)
                ? [first, .. postProcessor.PrefixIds]
                : postProcessor.PrefixIds,
            SuffixIds = options.AddEndOfText && end is { } last && !postProcessor.SuffixIds.Contains(last)
                ? [.. postProcessor.SuffixIds, last]
                : postProcessor.SuffixIds,
        };
    }

    internal static List<AddedToken> ReadAddedTokens(JsonFields root)
    {
        List<AddedToken> tokens = [];
        if (root.Optional("added_tokens") is null)
        {
            return tokens;
        }

        foreach (JsonElement item in root.Array("added_tokens").EnumerateArray())
        {
            JsonFields fields = new(item, $"added_tokens[{tokens.Count}]");
            bool special = fields.Bool("special", false);
            tokens.Add(new AddedToken(fields.Int("id"), fields.String("content"))
            {
                Special = special,
                Normalized = fields.Bool("normalized", !special),
                SingleWord = fields.Bool("single_word", false),
                StripLeft = fields.Bool("lstrip", false),
                StripRight = fields.Bool("rstrip", false),
            });
            fields.End();
        }

        return tokens;
    }

    private static TokenTable BuildTable(ModelReader model, List<AddedToken> added, IReadOnlyList<TokenDecoder> decoders)
    {
        int highest = model.Vocabulary.Values.Concat(added.Select(token => token.Id)).DefaultIfEmpty(-1).Max();
        if (highest > IdMax)
        {
            throw new TokenizerFormatException("model.vocab", $"holds the id {highest}; ids up to {IdMax} are supported.");
        }

        int count = model.Vocabulary.Count + added.Count;
        if (highest - count > Math.Max(UnusedIdsMax, count))
        {
            throw new TokenizerFormatException("model.vocab", $"holds the id {highest}, but there are only {count} tokens; most ids up to the highest must name one.");
        }

        TokenTable table = new(highest + 1);
        foreach ((string text, int id) in model.Vocabulary)
        {
            TokenKind kind = text == model.UnknownToken ? TokenKind.Unknown : TokenKind.Normal;
            Set(table, id, text, kind, special: false, decoders);
        }

        foreach (AddedToken token in added)
        {
            TokenKind kind = token.Special ? token.Content == model.UnknownToken ? TokenKind.Unknown : TokenKind.Control : TokenKind.UserDefined;
            Set(table, token.Id, token.Content, kind, token.Special, decoders);
        }

        return table.Seal();
    }

    private static void Set(TokenTable table, int id, string text, TokenKind kind, bool special, IReadOnlyList<TokenDecoder> decoders)
    {
        DecodedToken token = new(text, null, false, Leading: false);
        DecodedToken leading = token with { Leading = true };
        foreach (TokenDecoder decoder in decoders)
        {
            token = decoder(token);
            leading = decoder(leading);
        }

        table.Set(id, token.IsByte ? TokenKind.Byte : kind, special, token.ToBytes(), leading.ToBytes());
    }

    private static int? FindId(Dictionary<string, int> ids, string? token, string field)
    {
        if (token is null)
        {
            return null;
        }

        return ids.TryGetValue(token, out int id) ? id : throw new TokenizerFormatException(field, $"'{token}' is not in the vocabulary.");
    }
}
