using Serving.Text.ToolCalls.Parsing;

namespace Serving.Text.ToolCalls.Forms;

/// <summary>
/// DeepSeek: between <c>&lt;｜tool▁calls▁begin｜&gt;</c> and its end one block for each call: the function's name, a separator and the arguments (V3.1),
/// or the word <c>function</c>, the separator, the name, and the arguments in a fenced block of JSON (V3, R1). Source: the chat templates of the
/// published models.
/// </summary>
internal sealed class DeepSeekGrammar(AnswerReader input, AnswerWriter output, AnswerParserOptions options) : JsonCallGrammar(input, output, options)
{
    public const string Begin = "<｜tool▁calls▁begin｜>";
    public const string End = "<｜tool▁calls▁end｜>";
    public const string CallBegin = "<｜tool▁call▁begin｜>";
    public const string CallEnd = "<｜tool▁call▁end｜>";
    public const string Separator = "<｜tool▁sep｜>";
    private const string Fence = "```json";

    /// <summary>Templates with fenced blocks are those of V3 and R1.</summary>
    public static CallSyntax SyntaxOf(string? template)
    {
        CallSyntax syntax = new()
        {
            Marker = Begin,
            Begin = Begin,
            BeforeName = CallBegin,
            BeforeArguments = Separator,
            AfterArguments = CallEnd,
            Separator = "",
            End = End,
        };
        return template?.Contains(Fence, StringComparison.Ordinal) != true
            ? syntax
            : syntax with { BeforeName = $"{CallBegin}function{Separator}", BeforeArguments = $"\n{Fence}\n", AfterArguments = $"\n```{CallEnd}", Separator = "\n" };
    }

    private readonly int _begin = input.Marker(Begin);
    private readonly int _end = input.Marker(End);
    private readonly int _callBegin = input.Marker(CallBegin);
    private readonly int _callEnd = input.Marker(CallEnd);
    private readonly int _separator = input.Marker(Separator);

    protected override bool BeginsCalls(int symbol) => symbol == _begin || symbol == _callBegin;

    protected override async ParseTask<bool> ReadCallsAsync()
    {
        Input.StartRecord();
        await Input.TakeAsync(_begin);
        while (true)
        {
            await Input.SkipSpaceAsync();
            if (!await Input.TakeAsync(_callBegin) || !await ReadCallAsync())
            {
                RecordIsText();
                return false;
            }

            await Input.SkipSpaceAsync();
            EndCall(await Input.TakeAsync(_callEnd) ? _end : _callEnd);
            if (IsOver)
            {
                return true;
            }

            await Input.SkipSpaceAsync();
            if (await Input.PeekAsync() != _callBegin)
            {
                break;
            }

            Input.StartRecord();
        }

        if (await Input.TakeAsync(_end))
        {
            EndMarkerSeen();
        }

        return true;
    }

    private async ParseTask<bool> ReadCallAsync()
    {
        await Input.SkipSpaceAsync();
        string name = await TakeNameAsync();
        await Input.SkipSpaceAsync();
        if (!await Input.TakeAsync(_separator))
        {
            return false;
        }

        await Input.SkipSpaceAsync();
        if (await Input.PeekAsync() == '{')
        {
            return IsFunction(name) && await ReadArgumentsAsync(name);
        }

        name = await TakeNameAsync();
        await Input.SkipSpaceAsync();
        if (!IsFunction(name) || !await Input.TakeAsync(Fence))
        {
            return false;
        }

        await Input.SkipSpaceAsync();
        if (await Input.PeekAsync() != '{' || !await ReadArgumentsAsync(name))
        {
            return false;
        }

        Input.StartRecord();
        await Input.SkipSpaceAsync();
        if (await Input.TakeAsync("```"))
        {
            Input.EndRecord();
        }
        else
        {
            RecordIsText();
        }

        return true;
    }
}
