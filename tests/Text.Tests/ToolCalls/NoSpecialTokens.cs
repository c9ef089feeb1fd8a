using Serving.Text.Tokenization;

namespace Serving.Text.Tests.ToolCalls;

/// <summary>A tokenizer that knows no special token, and is asked for nothing else.</summary>
internal sealed class NoSpecialTokens : ITokenizer
{
    public int VocabularySize => 0;

    public int? BeginOfTextId => null;

    public int? EndOfTextId => null;

    public IReadOnlySet<int> EndOfGenerationIds { get; } = new HashSet<int>();

    public void Encode(PromptText text, bool addSpecialTokens, List<int> output) => throw new NotSupportedException();

    public ReadOnlySpan<byte> TokenBytes(int id) => throw new NotSupportedException();

    public ReadOnlySpan<byte> LeadingTokenBytes(int id) => throw new NotSupportedException();

    public TokenKind Kind(int id) => throw new NotSupportedException();

    public bool IsSpecial(int id) => throw new NotSupportedException();

    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial) => throw new NotSupportedException();

    public int? FindSpecial(string text) => null;
}
