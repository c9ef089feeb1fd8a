using Serving.Text.ToolCalls.Parsing;

namespace Serving.Text.ToolCalls.Forms;

/// <summary>
/// Hermes and Qwen: <c>&lt;tool_call&gt;{"name": …, "arguments": {…}}&lt;/tool_call&gt;</c>, one block for each call. Source: the Hermes function-calling
/// repository of Nous Research, and Qwen's documentation of function calling.
/// </summary>
internal sealed class HermesGrammar(AnswerReader input, AnswerWriter output, AnswerParserOptions options) : JsonCallGrammar(input, output, options)
{
    public const string Begin = "<tool_call>";
    public const string End = "</tool_call>";

    public static CallSyntax Syntax { get; } = new()
    {
        Marker = Begin,
        BeforeName = $"{Begin}\n{{\"name\": \"",
        BeforeArguments = "\", \"arguments\": ",
        AfterArguments = $"}}\n{End}",
        Separator = "\n",
    };

    private readonly int _begin = input.Marker(Begin);
    private readonly int _end = input.Marker(End);

    protected override bool BeginsCalls(int symbol) => symbol == _begin;

    protected override async ParseTask<bool> ReadCallsAsync()
    {
        Input.StartRecord();
        Input.Take();
        return await ReadObjectsAsync(separator: AnswerReader.End, _end);
    }
}
