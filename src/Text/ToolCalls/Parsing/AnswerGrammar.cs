using System.Text;

namespace Serving.Text.ToolCalls.Parsing;

/// <summary>
/// How a family of models writes answers. The common frame: thinking at the beginning, text, and calls, which a form finds in its own way. What a form reads
/// as a call's beginning is recorded, and becomes text where it turns out to be none; it is not read a second time, so that time stays linear.
/// </summary>
internal abstract class AnswerGrammar(AnswerReader input, AnswerWriter output, AnswerParserOptions options, string reasoningBegin = "<think>", string reasoningEnd = "</think>")
{
    private readonly int _reasoningBegin = input.Marker(reasoningBegin);
    private readonly int _reasoningEnd = input.Marker(reasoningEnd);


    /// <summary>The end marker of a call that has been read is not text, even where something else stands before it.</summary>
    private int _endMarker = AnswerReader.End;

    protected AnswerReader Input => input;

    protected AnswerWriter Output => output;

    protected bool MayCall => options.Functions.Count > 0;

    /// <summary>True once the answer's only call is complete.</summary>
    protected bool IsOver => options.SingleCall && CallsEnded > 0;

    protected int CallsEnded { get; private set; }

    /// <summary>Reads the whole answer.</summary>
    public virtual async ParseTask<bool> ReadAsync()
    {
        if (options.StartsInReasoning)
        {
            await ReadReasoningAsync();
        }

        while (!IsOver)
        {
            int symbol = await input.PeekAsync();
            if (symbol == AnswerReader.End)
            {
                return true;
            }

            if (symbol == _reasoningBegin && !output.HasContent)
            {
                input.Take();
                await ReadReasoningAsync();
            }
            else if (MayCall && BeginsCalls(symbol))
            {
                await ReadCallsAsync();
            }
            else
            {
                TakeText(symbol);
            }
        }

        return true;
    }

    /// <summary>Whether calls begin with this symbol.</summary>
    protected abstract bool BeginsCalls(int symbol);

    /// <summary>Reads calls from the symbol on at which they begin; what is no call becomes text.</summary>
    protected abstract ParseTask<bool> ReadCallsAsync();

    /// <summary>Whether a call of this function is one.</summary>
    protected bool IsFunction(string name) => options.Functions.Contains(name);

    /// <summary>A call is complete.</summary>
    /// <param name="endMarker">What is still expected after it.</param>
    protected void EndCall(int endMarker)
    {
        CallsEnded++;
        _endMarker = endMarker;
    }

    protected void EndMarkerSeen() => _endMarker = AnswerReader.End;

    /// <summary>Gives up on what was recorded as a call: it is text.</summary>
    protected void RecordIsText() => output.Content(input.EndRecord());

    /// <summary>Takes characters that may stand in a function's name.</summary>
    protected async ParseTask<string> TakeNameAsync()
    {
        StringBuilder name = new();
        for (int symbol = await input.PeekAsync(); IsNamePart(symbol); symbol = await input.PeekAsync())
        {
            name.Append((char)symbol);
            input.Take();
        }

        return name.ToString();
    }

    private static bool IsNamePart(int symbol) =>
        symbol is >= 0 and < AnswerReader.FirstMarker && (char.IsAsciiLetterOrDigit((char)symbol) || symbol is '_' or '-' or '.');

    private void TakeText(int symbol)
    {
        input.Take();
        if (symbol == _endMarker)
        {
            _endMarker = AnswerReader.End;
        }
        else
        {
            output.Content(input.TextOf(symbol));
        }
    }

    /// <summary>Thinking lasts to its end marker or to the answer's end; nothing inside counts.</summary>
    private async ParseTask<bool> ReadReasoningAsync()
    {
        output.BeginReasoning();
        while (true)
        {
            int symbol = await input.PeekAsync();
            if (symbol == AnswerReader.End)
            {
                return true;
            }

            input.Take();
            if (symbol == _reasoningEnd)
            {
                return true;
            }

            output.Reasoning(input.TextOf(symbol));
        }
    }
}
