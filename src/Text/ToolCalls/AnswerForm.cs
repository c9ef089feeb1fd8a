using System.Collections.Immutable;
using Serving.Text.ToolCalls.Forms;
using Serving.Text.ToolCalls.Parsing;

namespace Serving.Text.ToolCalls;

/// <summary>A form in which models write tool calls, whatever the model.</summary>
internal sealed record AnswerForm(
    string Name, ImmutableArray<string> Markers, Func<AnswerReader, AnswerWriter, AnswerParserOptions, AnswerGrammar> Create)
{
    private static readonly ImmutableArray<string> Thinking = ["<think>", "</think>"];

    /// <summary>All forms, by the signs by which a model's is recognised: those that say more come first.</summary>
    public static ImmutableArray<AnswerForm> All { get; } =
    [
        new("harmony", [HarmonyGrammar.Start, HarmonyGrammar.Channel, HarmonyGrammar.Constrain, HarmonyGrammar.Message, HarmonyGrammar.End, HarmonyGrammar.Call, HarmonyGrammar.Return],
            (input, output, options) => new HarmonyGrammar(input, output, options))
        {
            Signs = [HarmonyGrammar.Channel],
            IsNeededAlways = true,
            ReasoningBegin = $"{HarmonyGrammar.Channel}analysis{HarmonyGrammar.Message}",
            ReasoningEnd = $"{HarmonyGrammar.End}{HarmonyGrammar.Start}assistant",
            Syntax = _ => HarmonyGrammar.Syntax,
        },
        new("deepseek_v3", [DeepSeekGrammar.Begin, DeepSeekGrammar.End, DeepSeekGrammar.CallBegin, DeepSeekGrammar.CallEnd, DeepSeekGrammar.Separator, .. Thinking],
            (input, output, options) => new DeepSeekGrammar(input, output, options))
        {
            Signs = [DeepSeekGrammar.CallBegin],
            Syntax = DeepSeekGrammar.SyntaxOf,
        },
        new("mistral", [MistralGrammar.Begin, MistralGrammar.Arguments, MistralGrammar.CallId, MistralGrammar.ReasoningBegin, MistralGrammar.ReasoningEnd],
            (input, output, options) => new MistralGrammar(input, output, options))
        {
            Signs = [MistralGrammar.Begin],
            ReasoningBegin = MistralGrammar.ReasoningBegin,
            ReasoningEnd = MistralGrammar.ReasoningEnd,
            HasShortIds = true,
            Syntax = MistralGrammar.SyntaxOf,
        },
        new("hermes", [HermesGrammar.Begin, HermesGrammar.End, .. Thinking], (input, output, options) => new HermesGrammar(input, output, options))
        {
            Signs = [HermesGrammar.Begin],
            Syntax = _ => HermesGrammar.Syntax,
        },
        new("pythonic", [PythonicGrammar.Begin, PythonicGrammar.End, PythonicGrammar.ListBegin, PythonicGrammar.ListEnd, LlamaGrammar.PythonTag, .. Thinking],
            (input, output, options) => new PythonicGrammar(input, output, options))
        {
            Signs = [PythonicGrammar.Begin, PythonicGrammar.ListBegin, "func_name1("],
        },
        new("llama3_json", [LlamaGrammar.PythonTag, .. Thinking], (input, output, options) => new LlamaGrammar(input, output, options))
        {
            Signs = [LlamaGrammar.PythonTag, "\"parameters\": ", "<|eom_id|>"],
            Syntax = _ => LlamaGrammar.Syntax,
        },
    ];

    /// <summary>A chat template, or the special tokens, of a model of this form has one of these.</summary>
    public ImmutableArray<string> Signs { get; private init; } = [];

    /// <summary>How a model with this chat template writes calls; null where a grammar cannot hold it to that.</summary>
    public Func<string?, CallSyntax?> Syntax { get; private init; } = _ => null;

    public string ReasoningBegin { get; private init; } = Thinking[0];

    public string ReasoningEnd { get; private init; } = Thinking[1];

    /// <summary>Even a plain answer is no text without being taken apart.</summary>
    public bool IsNeededAlways { get; private init; }

    /// <summary>The family's templates take ids of nine letters and digits only.</summary>
    public bool HasShortIds { get; private init; }
}
