using Serving.Text.ToolCalls.Parsing;

namespace Serving.Text.ToolCalls.Forms;

/// <summary>
/// Mistral: after <c>[TOOL_CALLS]</c> an array of <c>{"name": …, "arguments": {…}}</c>, or, from tokenizer v11 on, <c>name[ARGS]{…}</c>, with a marker of
/// its own for each call and perhaps <c>[CALL_ID]</c> and an id before the arguments. Thinking stands between <c>[THINK]</c> and <c>[/THINK]</c>.
/// Source: the tokenizers and templates of mistral-common.
/// </summary>
internal sealed class MistralGrammar(AnswerReader input, AnswerWriter output, AnswerParserOptions options)
    : JsonCallGrammar(input, output, options, ReasoningBegin, ReasoningEnd)
{
    public const string Begin = "[TOOL_CALLS]";
    public const string Arguments = "[ARGS]";
    public const string CallId = "[CALL_ID]";
    public const string ReasoningBegin = "[THINK]";
    public const string ReasoningEnd = "[/THINK]";

    /// <summary>Templates that know no <c>[ARGS]</c> are those of older models, which write an array.</summary>
    public static CallSyntax SyntaxOf(string? template) => template?.Contains(Arguments, StringComparison.Ordinal) != false
        ? new() { Marker = Begin, BeforeName = Begin, BeforeArguments = Arguments, Separator = "" }
        : new() { Marker = Begin, Begin = $"{Begin} [", BeforeName = "{\"name\": \"", BeforeArguments = "\", \"arguments\": ", AfterArguments = "}", Separator = ", ", End = "]" };

    private readonly int _begin = input.Marker(Begin);
    private readonly int _arguments = input.Marker(Arguments);
    private readonly int _callId = input.Marker(CallId);

    protected override bool BeginsCalls(int symbol) => symbol == _begin;

    protected override async ParseTask<bool> ReadCallsAsync()
    {
        Input.StartRecord();
        Input.Take();
        await Input.SkipSpaceAsync();
        if (await Input.PeekAsync() is '[' or '{')
        {
            return await ReadObjectsAsync(separator: AnswerReader.End, endMarker: AnswerReader.End);
        }

        if (!await ReadNamedAsync())
        {
            RecordIsText();
            return false;
        }

        EndCall(AnswerReader.End);
        return true;
    }

    private async ParseTask<bool> ReadNamedAsync()
    {
        string name = await TakeNameAsync();
        if (!IsFunction(name))
        {
            return false;
        }

        if (await Input.TakeAsync(_callId))
        {
            await TakeNameAsync();
        }

        await Input.TakeAsync(_arguments);
        await Input.SkipSpaceAsync();
        return await Input.PeekAsync() == '{' && await ReadArgumentsAsync(name);
    }
}
