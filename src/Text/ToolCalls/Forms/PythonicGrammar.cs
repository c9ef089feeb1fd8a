using System.Text;
using Serving.Text.ToolCalls.Parsing;

namespace Serving.Text.ToolCalls.Forms;

/// <summary>
/// Calls as a Python list: an answer that is <c>[name(argument=value, …), …]</c> from its beginning, perhaps between markers (Llama 3.2 and 4, LFM2).
/// Arguments become JSON as they come. Source: Meta's prompt formats of Llama 3.2 and 4; the literals are those of Python's language reference.
/// </summary>
internal sealed class PythonicGrammar(AnswerReader input, AnswerWriter output, AnswerParserOptions options) : AnswerGrammar(input, output, options)
{
    public const string Begin = "<|python_start|>";
    public const string End = "<|python_end|>";
    public const string ListBegin = "<|tool_call_start|>";
    public const string ListEnd = "<|tool_call_end|>";

    private readonly int[] _begins = [input.Marker(Begin), input.Marker(ListBegin), input.Marker(LlamaGrammar.PythonTag)];
    private readonly int[] _ends = [input.Marker(End), input.Marker(ListEnd)];
    private readonly PythonLiteral _literal = new(input, output);

    protected override bool BeginsCalls(int symbol) => !Output.HasContent && (symbol == '[' || _begins.Contains(symbol));

    protected override async ParseTask<bool> ReadCallsAsync()
    {
        Input.StartRecord();
        int end = AnswerReader.End;
        if (Array.IndexOf(_begins, await Input.PeekAsync()) is var marker and >= 0)
        {
            Input.Take();
            await Input.SkipSpaceAsync();
            end = marker < _ends.Length ? _ends[marker] : AnswerReader.End;
        }

        await Input.TakeAsync('[');
        do
        {
            await Input.SkipSpaceAsync();
            if (!await ReadCallAsync())
            {
                RecordIsText();
                return false;
            }

            EndCall(end);
            if (IsOver)
            {
                return true;
            }

            Input.StartRecord();
            await Input.SkipSpaceAsync();
        }
        while (await Input.TakeAsync(','));

        Input.EndRecord();
        await Input.TakeAsync(']');
        await Input.SkipSpaceAsync();
        if (await Input.TakeAsync(end))
        {
            EndMarkerSeen();
        }

        return true;
    }

    /// <returns>False where it is no call. True once a call has begun, whatever then becomes of it.</returns>
    private async ParseTask<bool> ReadCallAsync()
    {
        string name = await TakeNameAsync();
        if (!IsFunction(name) || !await Input.TakeAsync('('))
        {
            return false;
        }

        await Input.SkipSpaceAsync();
        if (await Input.TakeAsync(')'))
        {
            Input.EndRecord();
            Output.BeginCall(name);
            Output.Arguments("{}");
            return true;
        }

        string key = await TakeNameAsync();
        await Input.SkipSpaceAsync();
        if (key.Length == 0 || !await Input.TakeAsync('='))
        {
            return false;
        }

        Input.EndRecord();
        Output.BeginCall(name);
        Output.Arguments("{");
        if (!await ReadArgumentsAsync(key))
        {
            // What the model wrote is all that can be given now.
            await CopyRestAsync();
        }

        return true;
    }

    private async ParseTask<bool> ReadArgumentsAsync(string key)
    {
        while (true)
        {
            Output.Arguments($"\"{key}\": ");
            await Input.SkipSpaceAsync();
            if (!await _literal.CopyAsync())
            {
                return false;
            }

            await Input.SkipSpaceAsync();
            bool hasMore = await Input.TakeAsync(',');
            await Input.SkipSpaceAsync();
            if (await Input.TakeAsync(')'))
            {
                Output.Arguments("}");
                return true;
            }

            key = hasMore ? await TakeNameAsync() : "";
            await Input.SkipSpaceAsync();
            if (hasMore)
            {
                Output.Arguments(", ");
            }

            if (!await Input.TakeAsync('='))
            {
                Output.Arguments(key);
                return false;
            }
        }
    }

    private async ParseTask<bool> CopyRestAsync()
    {
        for (int symbol = await Input.PeekAsync(); symbol != AnswerReader.End; symbol = await Input.PeekAsync())
        {
            Input.Take();
            Output.Arguments(Input.TextOf(symbol));
        }

        return true;
    }
}
