namespace Serving.Text.Templates;

/// <summary>A chat template could not be parsed or rendered.</summary>
public sealed class TemplateException : Exception
{
    internal TemplateException(TemplateErrorKind kind, string reason, int line, int column)
        : base(line > 0 ? $"chat template, line {line}, column {column}: {reason}" : reason)
    {
        Kind = kind;
        Reason = reason;
        Line = line;
        Column = column;
    }

    public TemplateErrorKind Kind { get; }

    /// <summary>What went wrong, without the place: for <see cref="TemplateErrorKind.Raised"/> the template's own words.</summary>
    public string Reason { get; }

    /// <summary>Line in the template's source, from 1; 0 where the fault is not in the template (<see cref="TemplateErrorKind.Input"/>).</summary>
    public int Line { get; }

    /// <summary>Column in that line in UTF-16 units, from 1; 0 where <see cref="Line"/> is.</summary>
    public int Column { get; }
}
