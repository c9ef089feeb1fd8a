using Serving.Text.ToolCalls.Parsing;

namespace Serving.Text.ToolCalls.Forms;

/// <summary>
/// Llama 3's JSON: an answer that is <c>{"name": …, "parameters": {…}}</c> from its beginning, several separated by semicolons, perhaps after
/// <c>&lt;|python_tag|&gt;</c>. Nothing else marks a call, so JSON in the middle of an answer is text. Source: Meta's prompt formats of Llama 3.1 and 3.2.
/// </summary>
internal sealed class LlamaGrammar(AnswerReader input, AnswerWriter output, AnswerParserOptions options) : JsonCallGrammar(input, output, options)
{
    public const string PythonTag = "<|python_tag|>";

    public static CallSyntax Syntax { get; } = new()
    {
        BeforeName = "{\"name\": \"",
        BeforeArguments = "\", \"parameters\": ",
        AfterArguments = "}",
        Separator = "; ",
    };

    private readonly int _pythonTag = input.Marker(PythonTag);

    protected override bool BeginsCalls(int symbol) => !Output.HasContent && (symbol == '{' || symbol == _pythonTag);

    protected override async ParseTask<bool> ReadCallsAsync()
    {
        Input.StartRecord();
        await Input.TakeAsync(_pythonTag);
        return await ReadObjectsAsync(separator: ';', endMarker: AnswerReader.End);
    }
}
