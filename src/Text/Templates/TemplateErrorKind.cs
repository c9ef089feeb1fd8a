namespace Serving.Text.Templates;

/// <summary>Whose fault a <see cref="TemplateException"/> is.</summary>
public enum TemplateErrorKind
{
    /// <summary>The template is not valid Jinja, or uses a part of it that chat templates do not have. The model's fault, found at load.</summary>
    Syntax,

    /// <summary>The template called <c>raise_exception</c>: it refuses this conversation. The client's fault.</summary>
    Raised,

    /// <summary>An operation failed while rendering, as it does when a message lacks what the template reads. Mostly the client's fault.</summary>
    Render,

    /// <summary>The input is not what a template can be given: broken JSON, messages that are no array. The client's fault.</summary>
    Input,

    /// <summary>Parsing or rendering passed a bound on steps, size or depth.</summary>
    Limit,
}
