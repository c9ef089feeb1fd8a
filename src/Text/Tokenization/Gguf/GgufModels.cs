using System.Text;
using Serving.Text.Tokenization.AddedTokens;
using Serving.Text.Tokenization.Decoding;
using Serving.Text.Tokenization.Json;
using Serving.Text.Tokenization.Models;
using Serving.Text.Tokenization.Normalizers;
using Serving.Text.Tokenization.PreTokenizers;

namespace Serving.Text.Tokenization.Gguf;

/// <summary>The three kinds of GGUF vocabulary, each put together from the same stages as a tokenizer.json.</summary>
internal static class GgufModels
{
    private const char VisibleSpace = '▁';

    private static readonly TokenDecoder _stripTextStart = TokenDecoders.StripTextStart(' ');
    private static readonly TokenDecoder _wordPiece = TokenDecoders.WordPiece("##", cleanup: true);

    public static PipelineTokenizer CreateByteLevel(GgufTokens tokens)
    {
        GgufPreTokenizer pre = GgufPreTokenizer.Find(tokens.Source.Pre);
        BpeVocabulary vocabulary = new()
        {
            IdsByText = tokens.IdsByText,
            Merges = ReadMerges(tokens),
            ByteIds = BpeVocabulary.FindByteLevelIds(tokens.IdsByText),
            ByteLevel = true,
            IgnoreMerges = pre.IgnoreMerges,
        };
        PreTokenizer[] stages =
        [
            .. pre.Expressions.Select(expression => PatternReader.FromRegex(expression, "tokenizer.ggml.pre"))
                .Select(pattern => new SplitPreTokenizer(pattern, SplitBehavior.Isolated)),
        ];
        Normalizer? normalizer = pre.ComposesCharacters ? new UnicodeNormalizer(compose: true, compatibility: false) : null;
        return Create(tokens, normalizer, stages, new BpeModel(vocabulary), DecodeByteLevel, Before(tokens, pre.AddsBos), After(tokens));
    }

    public static PipelineTokenizer CreateSentencePiece(GgufTokens tokens)
    {
        IReadOnlyList<float> scores = tokens.Source.Scores
            ?? throw new TokenizerFormatException("tokenizer.ggml.scores", "is missing; a llama tokenizer merges by score.");
        bool prefixed = tokens.Source.AddSpacePrefix ?? true;
        List<Normalizer> normalizers = [new ReplaceNormalizer(new LiteralPattern(" "), VisibleSpace.ToString())];
        if (prefixed)
        {
            normalizers.Insert(0, new PrependNormalizer(" "));
        }

        ScoredModel model = new(tokens.IdsByText, scores, tokens.Source.UnknownId);
        return Create(tokens, new NormalizerSequence(normalizers), [], model, Decode, Before(tokens, otherwise: true), After(tokens));

        DecodedToken Decode(DecodedToken token, TokenKind kind)
        {
            token = kind switch
            {
                TokenKind.Byte => TokenDecoders.ByteFallback(token),
                TokenKind.Normal or TokenKind.Unused => token with { Text = token.Text.Replace(VisibleSpace, ' ') },
                _ => token,
            };
            return prefixed ? _stripTextStart(token) : token;
        }
    }

    public static PipelineTokenizer CreateWordPiece(GgufTokens tokens)
    {
        Dictionary<string, int> first = [];
        Dictionary<string, int> continuing = [];
        foreach ((string token, int id) in tokens.IdsByText)
        {
            // GGUF marks the tokens that begin a word, where BERT marks those that do not.
            bool begins = token.StartsWith(VisibleSpace);
            (begins ? first : continuing)[begins ? token[1..] : token] = id;
        }

        int unknown = tokens.Source.UnknownId ?? tokens.FindId("[UNK]")
            ?? throw new TokenizerFormatException("tokenizer.ggml.unknown_token_id", "is missing, and no token is [UNK].");
        List<PreTokenizer> stages = [];
        PreTokenizerReader.AddBert(stages);
        BertNormalizer normalizer = new(cleanText: true, spaceIdeographs: true, stripAccents: true, lowercase: true);
        WordPieceModel model = new(first, continuing, unknown, wordCharactersMax: int.MaxValue);
        int? separator = tokens.Source.SeparatorId ?? tokens.FindId("[SEP]");
        int? begin = tokens.Source.BosId ?? tokens.FindId("[CLS]");
        return Create(tokens, normalizer, stages, model, DecodeWordPiece, Ids(begin), Ids(separator));
    }

    private static DecodedToken DecodeByteLevel(DecodedToken token, TokenKind kind) =>
        kind == TokenKind.Normal ? TokenDecoders.ByteLevel(token) : token;

    private static DecodedToken DecodeWordPiece(DecodedToken token, TokenKind kind)
    {
        string text = token.Text.StartsWith(VisibleSpace) ? token.Text[1..] : kind == TokenKind.Normal ? "##" + token.Text : token.Text;
        return _wordPiece(token with { Text = text });
    }

    private static MergeTable ReadMerges(GgufTokens tokens)
    {
        IReadOnlyList<string> list = tokens.Source.Merges
            ?? throw new TokenizerFormatException("tokenizer.ggml.merges", "is missing; a gpt2 tokenizer cannot do without.");
        MergeTable merges = new(list.Count);
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> ids = tokens.IdsByText.GetAlternateLookup<ReadOnlySpan<char>>();
        StringBuilder merged = new();
        for (int rank = 0; rank < list.Count; rank++)
        {
            string merge = list[rank];

            // The first token may itself be a space in vocabularies that are not written in the byte alphabet.
            int space = merge.IndexOf(' ', Math.Min(1, merge.Length));
            if (space < 0)
            {
                throw new TokenizerFormatException($"tokenizer.ggml.merges[{rank}]", $"'{merge}' is not two tokens with a space between.");
            }

            string whole = merged.Clear().Append(merge, 0, space).Append(merge, space + 1, merge.Length - space - 1).ToString();
            if (ids.TryGetValue(merge.AsSpan(0, space), out int left) && ids.TryGetValue(merge.AsSpan(space + 1), out int right)
                && ids.TryGetValue(whole, out int id))
            {
                merges.Add(left, right, (uint)rank, id, replace: false);
            }
            else
            {
                throw new TokenizerFormatException(
                    $"tokenizer.ggml.merges[{rank}]", $"'{merge}' names or makes a token that is not in the vocabulary.");
            }
        }

        return merges;
    }

    private static int[] Before(GgufTokens tokens, bool otherwise) => tokens.Source.AddBos ?? otherwise ? Ids(tokens.Source.BosId) : [];

    private static int[] After(GgufTokens tokens) => tokens.Source.AddEos ?? false ? Ids(tokens.Source.EosId) : [];

    private static int[] Ids(int? id) => id is int known ? [known] : [];

    private static PipelineTokenizer Create(
        GgufTokens tokens,
        Normalizer? normalizer,
        IReadOnlyList<PreTokenizer> stages,
        ITokenModel model,
        Func<DecodedToken, TokenKind, DecodedToken> decode,
        int[] before,
        int[] after)
    {
        TokenTable table = new(tokens.Source.Tokens.Count);
        for (int id = 0; id < table.Count; id++)
        {
            TokenKind kind = tokens.Kind(id);
            DecodedToken token = decode(new DecodedToken(tokens.Source.Tokens[id], null, false, Leading: false), kind);
            DecodedToken leading = decode(new DecodedToken(tokens.Source.Tokens[id], null, false, Leading: true), kind);
            table.Set(id, kind, tokens.IsSpecial(id), token.ToBytes(), leading.ToBytes());
        }

        return new PipelineTokenizer(new AddedVocabulary(tokens.FindAdded(), normalizer), normalizer, stages, model, table.Seal())
        {
            BeginOfTextId = tokens.Source.BosId,
            EndOfTextId = tokens.Source.EosId,
            EndOfGenerationIds = tokens.EndOfGenerationIds,
            PrefixIds = before,
            SuffixIds = after,
        };
    }
}
