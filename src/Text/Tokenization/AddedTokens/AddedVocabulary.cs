using Serving.Text.Tokenization.Normalizers;

namespace Serving.Text.Tokenization.AddedTokens;

/// <summary>
/// The added tokens of a tokenizer, ready to be found. Some are looked for in the text as it came and some after normalization, as their
/// <see cref="AddedToken.Normalized"/> says. A normalized text has lost its trusted ranges; so where a text is trusted only in part,
/// special tokens are all looked for before.
/// </summary>
internal sealed class AddedVocabulary
{
    private readonly AddedTokenMatcher? _raw;
    private readonly AddedTokenMatcher? _rawWithSpecials;
    private readonly AddedTokenMatcher? _normalized;

    public AddedVocabulary(IReadOnlyList<AddedToken> tokens, Normalizer? normalizer)
    {
        Tokens = tokens;
        _raw = Create(tokens.Where(token => !token.Normalized).Select(token => (token.Content, token)));
        _rawWithSpecials = Create(tokens.Where(token => !token.Normalized || token.Special).Select(token => (token.Content, token)));
        _normalized = Create(tokens.Where(token => token.Normalized).Select(token => (normalizer?.Normalize(token.Content) ?? token.Content, token)));
    }

    public IReadOnlyList<AddedToken> Tokens { get; }

    public List<TextSegment> CutRaw(PromptText text) =>
        Cut(IsTrustedInPart(text) ? _rawWithSpecials : _raw, text.Text, text.TrustedRanges);

    /// <param name="original">The text that <paramref name="normalized"/> is a part of.</param>
    public List<TextSegment> CutNormalized(ReadOnlySpan<char> normalized, PromptText original) =>
        Cut(_normalized, normalized, IsTrusted(original) ? [new TextRange(0, normalized.Length)] : []);

    private static bool IsTrusted(PromptText text) => text.TrustedRanges.Count == 1 && text.TrustedRanges[0].Length == text.Text.Length;

    private static bool IsTrustedInPart(PromptText text) => text.TrustedRanges.Count > 0 && !IsTrusted(text);

    private static AddedTokenMatcher? Create(IEnumerable<(string Form, AddedToken Token)> tokens)
    {
        (string Form, AddedToken Token)[] all = [.. tokens];
        return all.Length == 0 ? null : new AddedTokenMatcher(all);
    }

    private static List<TextSegment> Cut(AddedTokenMatcher? matcher, ReadOnlySpan<char> text, IReadOnlyList<TextRange> trusted)
    {
        if (matcher is not null)
        {
            return matcher.Cut(text, trusted);
        }

        return text.IsEmpty ? [] : [new TextSegment(0, text.Length, null)];
    }
}
