namespace Serving.Text.Tokenization;

/// <summary>A tokenizer's description is damaged or asks for something that is not supported. The message names the field.</summary>
public sealed class TokenizerFormatException : Exception
{
    public TokenizerFormatException(string field, string problem) : base($"Tokenizer field '{field}': {problem}") => Field = field;

    public TokenizerFormatException(string field, string problem, Exception inner) : base($"Tokenizer field '{field}': {problem}", inner) => Field = field;

    /// <summary>Where it is, as a path from the root: <c>pre_tokenizer.pretokenizers[1].type</c>.</summary>
    public string Field { get; }
}
