using Serving.Text.ToolCalls.Parsing;

namespace Serving.Text.ToolCalls;

/// <summary>
/// Takes an answer apart as it comes: text, reasoning, tool calls. How the answer is cut into pieces makes no difference to what comes out, only to when.
/// Nothing is lost: what begins like a call and turns out to be none is text, and of a call whose arguments are broken the client gets what the model
/// wrote. White space at the borders between text, reasoning and calls belongs to the markup and is dropped. Held back is at most a marker's beginning, and
/// a call up to its function's name. Time is linear in the answer. Not for use by several threads.
/// </summary>
public sealed class AnswerParser
{
    private readonly AnswerReader _input;
    private readonly AnswerWriter _output;
    private readonly ParseTask<bool> _parse;

    internal AnswerParser(AnswerReader input, AnswerWriter output, Func<ParseTask<bool>> parse)
    {
        _input = input;
        _output = output;
        _parse = parse();
    }

    /// <summary>Whether the answer is over, as with <see cref="AnswerParserOptions.SingleCall"/>: further pieces come to nothing.</summary>
    public bool IsComplete => _parse.IsCompleted;

    /// <summary>Whether the model is thinking at the moment.</summary>
    public bool IsReasoning => _output.IsReasoning;

    /// <summary>Calls begun so far.</summary>
    public int Calls => _output.Calls;

    /// <summary>Takes the next text; what is certain by now is appended to <paramref name="deltas"/>.</summary>
    public void Append(ReadOnlySpan<char> text, ICollection<AnswerDelta> deltas)
    {
        _input.Append(text);
        Give(deltas);
    }

    /// <summary>Takes the next marker that came as a special token.</summary>
    /// <param name="marker">What <see cref="AnswerFormat.FindMarker"/> said of the token.</param>
    public void AppendMarker(int marker, ICollection<AnswerDelta> deltas)
    {
        _input.AppendMarker(marker);
        Give(deltas);
    }

    /// <summary>Ends the answer: what was held back in case that more would come.</summary>
    public void Finish(ICollection<AnswerDelta> deltas)
    {
        _input.Finish();
        _output.Finish();
        Give(deltas);
    }

    private void Give(ICollection<AnswerDelta> deltas)
    {
        if (_parse.IsCompleted)
        {
            _parse.GetResult(); // throws what is a bug of a parser
        }

        _output.TakeTo(deltas);
    }
}
