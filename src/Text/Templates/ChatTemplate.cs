using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Syntax;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates;

/// <summary>
/// A model's chat template: Jinja as Hugging Face's <c>apply_chat_template</c> renders it (immutable sandbox, <c>trim_blocks</c>,
/// <c>lstrip_blocks</c>, <c>break</c> and <c>continue</c>, <c>generation</c>, <c>tojson</c> without HTML escapes, <c>raise_exception</c>,
/// <c>strftime_now</c>). Parsed once, rendered many times and from many threads. The result says which characters the template wrote:
/// only they may become special tokens. A hostile template or conversation meets bounds on steps, size and depth.
/// </summary>
public sealed class ChatTemplate
{
    /// <summary>Real templates have at most some tens of kilobytes.</summary>
    private const int SourceCharsMax = 1 << 20;

    private const string NoReasoning = "none";

    private static readonly string[] Reserved = ["messages", "tools", "add_generation_prompt"];

    /// <summary>How templates ask whether the model is to reason: Qwen's and others' name, DeepSeek's and Granite's.</summary>
    private static readonly string[] ReasoningSwitches = ["enable_thinking", "thinking"];

    private readonly string _source;
    private readonly Node[] _body;

    private ChatTemplate(string source, Node[] body, IReadOnlySet<string> names)
    {
        _source = source;
        _body = body;
        UsesTools = names.Contains("tools");
        UsesReasoningEffort = names.Contains("reasoning_effort") || names.Overlaps(ReasoningSwitches);
    }

    /// <summary>Whether the template reads <c>tools</c>: one that does not would drop them without a word.</summary>
    public bool UsesTools { get; }

    /// <summary>Whether <see cref="ChatTemplateInput.ReasoningEffort"/> changes anything.</summary>
    public bool UsesReasoningEffort { get; }

    /// <exception cref="TemplateException">The source is not a template; line and column say where.</exception>
    public static ChatTemplate Parse(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.Length > SourceCharsMax)
        {
            throw new TemplateException(TemplateErrorKind.Limit, $"the template is longer than {SourceCharsMax} characters", 1, 1);
        }

        string normalized = Lexer.Normalize(source);
        try
        {
            Node[] body = Parser.Parse(normalized, out IReadOnlySet<string> names);
            return new ChatTemplate(normalized, body, names);
        }
        catch (SyntaxException exception)
        {
            throw At(normalized, exception.Offset, exception.Kind, exception.Message);
        }
    }

    /// <exception cref="TemplateException">
    /// The template refuses the conversation, fails on it, or passes a bound; <see cref="TemplateException.Kind"/> says which.
    /// </exception>
    public PromptText Render(ChatTemplateInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var context = new RenderContext(Variables(input), new RenderBudget(RenderLimits.Default), input.TimeProvider);
        try
        {
            context.Execute(_body);
            return context.Output.ToPromptText();
        }
        catch (RenderException exception)
        {
            throw At(_source, context.Offset, exception.Kind, exception.Message);
        }
    }

    private static Scope Variables(ChatTemplateInput input)
    {
        var variables = new Scope(parent: null);
        variables.Set("documents", NoneValue.Instance);
        SetToken(variables, "bos_token", input.BosToken);
        SetToken(variables, "eos_token", input.EosToken);
        if (input.ReasoningEffort is { } effort)
        {
            SetReasoningEffort(variables, effort);
        }

        if (!input.ArgumentsJson.IsEmpty)
        {
            SetArguments(variables, JsonInput.Read(input.ArgumentsJson, "chat_template_kwargs"));
        }

        object messages = JsonInput.Read(input.MessagesJson, "messages");
        variables.Set("messages", WithContent(messages as ListValue ?? throw JsonInput.Fault("messages must be an array")));
        object tools = input.ToolsJson.IsEmpty ? NoneValue.Instance : JsonInput.Read(input.ToolsJson, "tools");
        variables.Set("tools", tools is ListValue or NoneValue ? tools : throw JsonInput.Fault("tools must be an array"));
        variables.Set("add_generation_prompt", input.AddGenerationPrompt);
        return new Scope(variables);
    }

    /// <summary>A message whose content is null gets an empty one, as transformers 5 gives it; one without content stays so.</summary>
    private static ListValue WithContent(ListValue messages)
    {
        foreach (DictValue message in messages.Items.OfType<DictValue>())
        {
            if (message.Find("content") is NoneValue)
            {
                message.Set(new MarkedString("content", trusted: false), MarkedString.Empty);
            }
        }

        return messages;
    }

    private static void SetToken(Scope variables, string name, string? token)
    {
        if (token is not null)
        {
            variables.Set(name, new MarkedString(token, trusted: true));
        }
    }

    private static void SetReasoningEffort(Scope variables, string effort)
    {
        variables.Set("reasoning_effort", new MarkedString(effort, trusted: false));
        foreach (string name in ReasoningSwitches)
        {
            variables.Set(name, effort != NoReasoning);
        }
    }

    private static void SetArguments(Scope variables, object arguments)
    {
        if (arguments is not DictValue dict)
        {
            throw JsonInput.Fault("chat_template_kwargs must be an object");
        }

        foreach ((object key, object value) in dict.Entries)
        {
            string name = ((MarkedString)key).Text;
            if (Reserved.Contains(name))
            {
                throw JsonInput.Fault($"chat_template_kwargs may not set '{name}': the request has a field of its own for it");
            }

            variables.Set(name, value);
        }
    }

    private static TemplateException At(string source, int offset, TemplateErrorKind kind, string reason)
    {
        ReadOnlySpan<char> before = source.AsSpan(0, Math.Min(offset, source.Length));
        return new TemplateException(kind, reason, before.Count('\n') + 1, before.Length - before.LastIndexOf('\n'));
    }
}
