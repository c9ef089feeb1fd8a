namespace Serving.Text.Templates.Syntax;

/// <summary>A fault in a template's source, before its offset is turned into line and column.</summary>
internal sealed class SyntaxException(string message, int offset, TemplateErrorKind kind = TemplateErrorKind.Syntax) : Exception(message)
{
    public int Offset => offset;

    public TemplateErrorKind Kind => kind;
}
