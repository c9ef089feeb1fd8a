namespace Serving.Text.ToolCalls;

/// <summary>
/// How a call is written in a form, for a grammar that has to hold a model to it: <c>Begin (BeforeName name BeforeArguments arguments AfterArguments)
/// Separator … End</c>, the arguments in JSON. The form's parser reads what is written so. Texts may have markers in them, which
/// <see cref="AnswerFormat.Split"/> tells apart.
/// </summary>
public sealed record CallSyntax
{
    public string Begin { get; init; } = "";

    public required string BeforeName { get; init; }

    public required string BeforeArguments { get; init; }

    public string AfterArguments { get; init; } = "";

    /// <summary>What stands between two calls; null: an answer has one only.</summary>
    public string? Separator { get; init; }

    public string End { get; init; } = "";

    /// <summary>The marker with which calls begin, at any place in a text. Empty: they stand at the answer's beginning only, and nothing but their text marks them.</summary>
    public string Marker { get; init; } = "";

    /// <summary>What stands before the text of an answer that calls nothing.</summary>
    public string TextBegin { get; init; } = "";
}
