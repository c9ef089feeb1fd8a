namespace Serving.Text.Templates;

/// <summary>
/// What a chat template is rendered with. JSON is UTF-8; the order of object keys is kept, and a number with a fraction or an exponent
/// is a float, as in Python. Nothing that comes from JSON may become a special token.
/// </summary>
public sealed record ChatTemplateInput
{
    /// <summary>The conversation, a JSON array: the variable <c>messages</c>.</summary>
    public required ReadOnlyMemory<byte> MessagesJson { get; init; }

    /// <summary>Tool definitions, a JSON array: the variable <c>tools</c>. Empty means none, and <c>tools</c> is then <c>None</c>.</summary>
    public ReadOnlyMemory<byte> ToolsJson { get; init; }

    /// <summary>A JSON object of further variables (<c>chat_template_kwargs</c>). Empty means none.</summary>
    public ReadOnlyMemory<byte> ArgumentsJson { get; init; }

    /// <summary>
    /// How much the model is to reason, such as <c>none</c> or <c>high</c>: the variable <c>reasoning_effort</c>, and for templates that know no more than whether it
    /// reasons, <c>enable_thinking</c> and <c>thinking</c>. <see cref="ArgumentsJson"/> goes before it. Null: these variables are undefined.
    /// </summary>
    public string? ReasoningEffort { get; init; }

    /// <summary>Whether the text ends with the head of an answer: the variable <c>add_generation_prompt</c>.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>The model's begin-of-sequence token, trusted; without one the variable <c>bos_token</c> is undefined.</summary>
    public string? BosToken { get; init; }

    /// <summary>The model's end-of-sequence token, trusted; without one the variable <c>eos_token</c> is undefined.</summary>
    public string? EosToken { get; init; }

    /// <summary>The clock behind <c>strftime_now</c>, read in its local time zone.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
