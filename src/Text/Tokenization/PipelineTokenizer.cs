using System.Collections.Frozen;
using Serving.Text.Tokenization.AddedTokens;
using Serving.Text.Tokenization.Decoding;
using Serving.Text.Tokenization.Models;
using Serving.Text.Tokenization.Normalizers;
using Serving.Text.Tokenization.PreTokenizers;

namespace Serving.Text.Tokenization;

/// <summary>
/// Every tokenizer here: added tokens are cut out, what lies between is normalized, split into pieces and encoded by the model. This is
/// the order of Hugging Face's tokenizers, whose reference outputs the tests hold.
/// </summary>
internal sealed class PipelineTokenizer : ITokenizer
{
    private readonly AddedVocabulary _added;
    private readonly Normalizer? _normalizer;
    private readonly IReadOnlyList<PreTokenizer> _preTokenizers;
    private readonly ITokenModel _model;
    private readonly TokenTable _tokens;
    private readonly FrozenDictionary<string, int> _specials;

    public PipelineTokenizer(
        AddedVocabulary added,
        Normalizer? normalizer,
        IReadOnlyList<PreTokenizer> preTokenizers,
        ITokenModel model,
        TokenTable tokens)
    {
        _added = added;
        _normalizer = normalizer;
        _preTokenizers = preTokenizers;
        _model = model;
        _tokens = tokens;
        _specials = added.Tokens.Where(token => token.Special)
            .GroupBy(token => token.Content).ToFrozenDictionary(group => group.Key, group => group.Last().Id);
    }

    public int VocabularySize => _tokens.Count;

    public int? BeginOfTextId { get; init; }

    public int? EndOfTextId { get; init; }

    public IReadOnlySet<int> EndOfGenerationIds { get; init; } = FrozenSet<int>.Empty;

    /// <summary>What goes before a text where special tokens are asked for.</summary>
    public IReadOnlyList<int> PrefixIds { get; init; } = [];

    /// <summary>What goes after it.</summary>
    public IReadOnlyList<int> SuffixIds { get; init; } = [];

    public void Encode(PromptText text, bool addSpecialTokens, List<int> output)
    {
        if (addSpecialTokens)
        {
            output.AddRange(PrefixIds);
        }

        EncodeRun run = new(_preTokenizers, _model, output);
        foreach (TextSegment segment in _added.CutRaw(text))
        {
            if (segment.Token is AddedToken token)
            {
                output.Add(token.Id);
            }
            else
            {
                run.AtTextStart = segment.Start == 0;
                EncodeBetweenTokens(text, segment, run, output);
            }
        }

        if (addSpecialTokens)
        {
            output.AddRange(SuffixIds);
        }
    }

    public ReadOnlySpan<byte> TokenBytes(int id) => _tokens.Bytes(id);

    public ReadOnlySpan<byte> LeadingTokenBytes(int id) => _tokens.LeadingBytes(id);

    public TokenKind Kind(int id) => _tokens.Kind(id);

    public bool IsSpecial(int id) => _tokens.IsSpecial(id);

    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial) => _tokens.Decode(ids, skipSpecial);

    public int? FindSpecial(string text) => _specials.TryGetValue(text, out int id) ? id : null;

    private void EncodeBetweenTokens(PromptText text, TextSegment segment, EncodeRun run, List<int> output)
    {
        ReadOnlySpan<char> raw = text.Text.AsSpan(segment.Start, segment.Length);
        ReadOnlySpan<char> normalized = _normalizer is null ? raw : _normalizer.Normalize(raw.ToString());
        foreach (TextSegment part in _added.CutNormalized(normalized, text))
        {
            if (part.Token is AddedToken token)
            {
                output.Add(token.Id);
                run.AtTextStart = false;
            }
            else
            {
                run.Emit(0, normalized.Slice(part.Start, part.Length));
            }
        }
    }
}
