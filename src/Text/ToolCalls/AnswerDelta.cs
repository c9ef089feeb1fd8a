namespace Serving.Text.ToolCalls;

/// <summary>What a piece of an answer is a piece of.</summary>
public enum AnswerDeltaKind
{
    /// <summary>Text for the reader.</summary>
    Content,

    /// <summary>Text that the model wrote for itself before it answered.</summary>
    Reasoning,

    /// <summary>A call begins; the text is the function's name, whole.</summary>
    CallName,

    /// <summary>A piece of the JSON text of a call's arguments, as the model wrote it.</summary>
    CallArguments,
}

/// <summary>A piece of an answer.</summary>
/// <param name="Call">Which call it belongs to, from 0; -1 where it belongs to none.</param>
/// <param name="Text">Never empty.</param>
public readonly record struct AnswerDelta(AnswerDeltaKind Kind, int Call, string Text);
