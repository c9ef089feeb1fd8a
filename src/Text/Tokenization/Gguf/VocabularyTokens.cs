using System.Globalization;
using Serving.Text.Tokenization.AddedTokens;
using Serving.Text.Tokenization.Models;

namespace Serving.Text.Tokenization.Gguf;

/// <summary>What is the same for every kind of vocabulary: tokens, their types, the ids with a meaning.</summary>
internal static class VocabularyTokens
{
    private const int Normal = 1;
    private const int Unknown = 2;
    private const int Control = 3;
    private const int UserDefined = 4;
    private const int Unused = 5;
    private const int Byte = 6;

    /// <summary>A vocabulary that lacks only what its model decides: <c>model</c>, <c>pre</c>, merges, scores.</summary>
    public static GgufVocabulary Build(VocabularySource source)
    {
        int count = Count(source);
        string?[] tokens = new string?[count];
        int[] types = new int[count];
        foreach ((string token, int id) in source.Vocabulary)
        {
            tokens[id] = token;
            types[id] = Normal;
        }

        foreach (AddedToken token in source.Added)
        {
            CheckFlags(token);
            tokens[token.Id] = token.Content;
            types[token.Id] = token.Special ? Control : UserDefined;
        }

        // The byte tokens of some files are special ones too; what they are for is writing bytes.
        bool hasBytes = source.Has("byte_fallback");
        HashSet<string> seen = new(StringComparer.Ordinal);
        for (int id = 0; id < count; id++)
        {
            (tokens[id], types[id]) = tokens[id] switch
            {
                null => (string.Create(CultureInfo.InvariantCulture, $"[PAD{id}]"), Unused),
                string token when token == source.UnknownToken => (token, Unknown),
                string token when hasBytes && ByteTokens.TryParse(token, out _) => (token, Byte),
                string token => (token, types[id]),
            };
            if (!seen.Add(tokens[id]!))
            {
                throw new TokenizerFormatException("model.vocab", $"has '{tokens[id]}' twice; tokens of a GGUF file are told apart by their text.");
            }
        }

        return WithIds(source, new GgufVocabulary { Model = "", Tokens = tokens!, TokenTypes = types });
    }

    private static int Count(VocabularySource source)
    {
        int count = source.Vocabulary.Values.Concat(source.Added.Select(token => token.Id)).DefaultIfEmpty(-1).Max() + 1;
        int rows = source.Options.VocabularySize ?? count;
        return rows >= count
            ? rows
            : throw new TokenizerFormatException("vocab_size", $"is {rows}, but the tokenizer's highest id is {count - 1}: there is no embedding for it.");
    }

    private static void CheckFlags(AddedToken token)
    {
        string? flag = token.StripLeft ? "lstrip" : token.StripRight ? "rstrip" : token.SingleWord ? "single_word" : null;
        if (flag is not null)
        {
            throw new TokenizerFormatException(
                $"added_tokens '{token.Content}'.{flag}",
                "is true, which GGUF cannot express: the token would be read otherwise next to white space or letters. Set it to false in tokenizer.json to accept that.");
        }
    }

    private static GgufVocabulary WithIds(VocabularySource source, GgufVocabulary vocabulary)
    {
        GgufVocabularyOptions options = source.Options;
        Dictionary<string, int> ids = new(source.Vocabulary);
        source.Added.ForEach(token => ids[token.Content] = token.Id);
        int? end = Find(ids, options.EndOfText, "eos_token") ?? (options.EndOfGenerationIds.Count > 0 ? options.EndOfGenerationIds[0] : null);
        int? begin = Find(ids, options.BeginOfText, "bos_token");
        HashSet<int> named = EndOfGeneration.Find(name => source.Added.Find(token => token.Content == name)?.Id, [end]);
        int[] more = [.. options.EndOfGenerationIds.Distinct().Where(id => !named.Contains(id))];
        if (more.Length > 2)
        {
            throw new TokenizerFormatException(
                "eos_token_id", $"holds the ids {string.Join(", ", more)} besides those that are known by name; GGUF has room for two (eot, eom).");
        }

        return vocabulary with
        {
            BosId = begin,
            EosId = end,
            EotId = more.Length > 0 ? more[0] : null,
            EomId = more.Length > 1 ? more[1] : null,
            UnknownId = Find(ids, options.Unknown ?? source.UnknownToken, "unk_token"),
            PaddingId = Find(ids, options.Padding, "pad_token"),
        };
    }

    /// <summary>Sets what goes before and after a text, for the models that have <c>add_bos_token</c> and <c>add_eos_token</c>.</summary>
    public static GgufVocabulary WithSurroundings(VocabularySource source, GgufVocabulary vocabulary)
    {
        (int? begin, bool addsBegin) = Surrounding(source.PrefixIds, vocabulary.BosId, source.Options.AddsBeginOfText, "bos_token", "before");
        (int? end, bool addsEnd) = Surrounding(source.SuffixIds, vocabulary.EosId, source.Options.AddsEndOfText, "eos_token", "after");
        return vocabulary with { BosId = begin, AddBos = addsBegin, EosId = end, AddEos = addsEnd };
    }

    private static (int? Id, bool Adds) Surrounding(IReadOnlyList<int> ids, int? declared, bool? adds, string field, string where)
    {
        if (ids.Count == 0)
        {
            return adds == true && declared is null
                ? throw new TokenizerFormatException(field, $"is missing, but tokenizer_config.json wants it {where} every text.")
                : (declared, adds ?? false);
        }

        return ids.Count == 1 && (declared ?? ids[0]) == ids[0]
            ? (ids[0], true)
            : throw new TokenizerFormatException(
                "post_processor", $"puts the ids {string.Join(", ", ids)} {where} a text; GGUF can only put the one of {field} ({declared?.ToString(CultureInfo.InvariantCulture) ?? "none"}) there.");
    }

    private static int? Find(Dictionary<string, int> ids, string? token, string field)
    {
        if (token is null)
        {
            return null;
        }

        return ids.TryGetValue(token, out int id) ? id : throw new TokenizerFormatException(field, $"'{token}' is not in the vocabulary.");
    }
}
