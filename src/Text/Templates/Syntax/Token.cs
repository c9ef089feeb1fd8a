namespace Serving.Text.Templates.Syntax;

internal enum TokenKind
{
    Data,
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>One token of a template.</summary>
/// <param name="Text">The data, the name, the operator, the digits, or a string's value with its escapes resolved.</param>
/// <param name="Offset">Where it begins in the source.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Offset)
{
    public bool Is(TokenKind kind, string text) => Kind == kind && Text == text;

    /// <summary>The token as an error message names it.</summary>
    public string Description => Kind switch
    {
        TokenKind.Data => "template text",
        TokenKind.VariableBegin => "'{{'",
        TokenKind.VariableEnd => "'}}'",
        TokenKind.BlockBegin => "'{%'",
        TokenKind.BlockEnd => "'%}'",
        TokenKind.End => "the end of the template",
        _ => $"'{Text}'",
    };
}
