using Serving.Contracts.Internal;
using Serving.Text.ToolCalls;
using Serving.Worker.Models;

namespace Serving.Worker.Completions;

/// <summary>
/// What a chat's answer is held to, all of it: calls in the form that the model writes, text as the request wants it, and before either the model's thinking.
/// </summary>
/// <param name="tools">Null: nothing is called.</param>
internal sealed class AnswerConstraints(AnswerFormat format, ToolParameters? tools)
{
    private static readonly Constraint _anyText = new() { Regex = @"[\s\S]*" };

    /// <summary>Whether a call must come, or must be as its function's schema says.</summary>
    private bool HoldsCalls => tools is { IsRequired: true } or { Arguments.Count: > 0 };

    /// <summary>What the answer to a request is held to. Only chats have more than text.</summary>
    public static Constraint? Of(ModelRuntime model, CompletionRequest request, bool startsInReasoning) =>
        request.PromptCase == CompletionRequest.PromptOneofCase.Chat
            ? new AnswerConstraints(model.AnswerFormat, request.Tools).Of(request.Constraint, startsInReasoning)
            : request.Constraint;

    /// <summary>What this model cannot be held to, or null.</summary>
    /// <param name="text">What the answer's text must be; null: anything.</param>
    public RequestError? Check(Constraint? text) =>
        format.Syntax is null && tools?.Functions.Count > 0 && (HoldsCalls || text is not null)
            ? RequestErrors.Invalid(
                tools.IsRequired ? "tool_choice" : text is null ? "tools" : text.Param,
                $"asks for calls in a form of which a grammar knows nothing, '{format.Name}': serve the model with another tool parser, or let it call what it likes")
            : null;

    /// <summary>The constraint of the whole answer; null: it may be anything.</summary>
    /// <param name="startsInReasoning">The prompt has opened the model's thinking.</param>
    public Constraint? Of(Constraint? text, bool startsInReasoning)
    {
        if (text is null && !HoldsCalls)
        {
            return null;
        }

        Constraint? written = text is null ? null : All(Text(format.Syntax?.TextBegin ?? ""), text);
        Constraint answer = tools is null or { Functions.Count: 0 } ? written!
            : tools.IsRequired ? Calls(tools, format.Syntax!)
            : written is not null ? Any(Calls(tools, format.Syntax!), written)
            : TextWithCalls(tools, format.Syntax!);
        Constraint whole = format.Reasoning is { } reasoning ? AfterReasoning(reasoning, answer, startsInReasoning) : answer;
        return new Constraint(whole) { Param = text?.Param ?? "tools" };
    }

    /// <summary>One call, or several where the request and the form have them.</summary>
    /// <param name="skipped">What has been written already.</param>
    private Constraint Calls(ToolParameters tools, CallSyntax syntax, string skipped = "", bool isSingle = false)
    {
        bool isBefore = syntax.Begin.Length > 0;
        List<Constraint> parts =
        [
            Text(isBefore ? syntax.Begin[skipped.Length..] : ""),
            Call(tools, syntax, isBefore ? syntax.BeforeName : syntax.BeforeName[skipped.Length..]),
        ];
        if (!isSingle && !tools.SingleCall && syntax.Separator is { } separator)
        {
            parts.Add(new Constraint { Repeat = new ConstraintRepeat { Item = All(Text(separator), Call(tools, syntax, syntax.BeforeName)) } });
        }

        parts.Add(Text(syntax.End));
        return All([.. parts]);
    }

    private Constraint Call(ToolParameters tools, CallSyntax syntax, string beforeName) => Any(
        [.. tools.Functions.Select((name, i) => All(
            Text(beforeName + name + syntax.BeforeArguments),
            i < tools.Arguments.Count ? tools.Arguments[i] : new Constraint { JsonObject = new AnyJsonObject() },
            Text(syntax.AfterArguments)))]);

    /// <summary>Text as the model likes, and calls as they have to be.</summary>
    private Constraint TextWithCalls(ToolParameters tools, CallSyntax syntax)
    {
        if (syntax.Marker.Length == 0)
        {
            // Where nothing marks a call, text must not begin like one.
            return Any(Calls(tools, syntax), syntax.TextBegin.Length > 0 ? All(Text(syntax.TextBegin), _anyText) : new Constraint { Regex = @"([ \t\r\n]*[^\s\u0085\{][\s\S]*)?" });
        }

        // Where each call has its marker, each is one by itself.
        FreeText free = new() { Triggers = { Trigger(syntax.Marker, Calls(tools, syntax, syntax.Marker, isSingle: syntax.Begin.Length == 0)) } };
        if (tools.SingleCall)
        {
            free.Max = 1;
        }

        return new Constraint { FreeText = free };
    }

    private Constraint AfterReasoning((string Begin, string End) reasoning, Constraint answer, bool startsInReasoning)
    {
        (string marker, _) = format.Split(reasoning.End)[0];
        Constraint thought = new()
        {
            FreeText = new FreeText
            {
                Triggers = { Trigger(marker, All(Text(reasoning.End[marker.Length..]), new Constraint { Regex = @"[ \t\r\n]{0,4}" }, answer)) },
                Min = 1,
                Max = 1,
            },
        };
        return startsInReasoning ? thought : Any(answer, All(Text(reasoning.Begin), thought));
    }

    private TextTrigger Trigger(string marker, Constraint then) =>
        new() { Marker = marker, IsSpecialToken = format.Split(marker)[0].IsSpecialToken, Then = then };

    /// <summary>A text that the model writes, its markers as the tokens that they are.</summary>
    private Constraint Text(string text) => All(
        [.. format.Split(text).Select(piece => piece.IsSpecialToken ? new Constraint { SpecialToken = piece.Text } : new Constraint { Literal = piece.Text })]);

    private static Constraint All(params Constraint[] parts)
    {
        ConstraintList list = new();
        list.Items.AddRange(parts.SelectMany(part => part.KindCase == Constraint.KindOneofCase.Sequence ? part.Sequence.Items : [part]));
        return new Constraint { Sequence = list };
    }

    private static Constraint Any(params Constraint[] parts)
    {
        if (parts.Length == 1)
        {
            return parts[0];
        }

        ConstraintList list = new();
        list.Items.AddRange(parts);
        return new Constraint { Alternatives = list };
    }
}
