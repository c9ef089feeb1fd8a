namespace Serving.Text.Templates.Rendering;

/// <summary>A fault while rendering, before its place is known; <see cref="ChatTemplate.Render"/> turns it into a <see cref="TemplateException"/>.</summary>
internal sealed class RenderException(string message, TemplateErrorKind kind = TemplateErrorKind.Render) : Exception(message)
{
    public TemplateErrorKind Kind => kind;
}
