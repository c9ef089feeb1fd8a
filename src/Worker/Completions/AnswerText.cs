using Serving.Text.Streaming;
using Serving.Text.Tokenization;

namespace Serving.Worker.Completions;

/// <summary>Turns an answer's tokens into the text that the client sees: whole characters, no special tokens, nothing from a stop sequence on.</summary>
internal sealed class AnswerText(ITokenizer tokenizer, IReadOnlyCollection<string> stopSequences)
{
    private readonly StreamingDetokenizer _detokenizer = new(tokenizer);
    private readonly StopSequenceMatcher? _stop = stopSequences.Count > 0 ? new StopSequenceMatcher(stopSequences) : null;

    /// <summary>Whether a stop sequence has been met: the answer ends before it.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>The text that is certain after one more token; may be empty.</summary>
    public string Append(int token) => Match(_detokenizer.Append(token));

    /// <summary>What was held back in case that more would come.</summary>
    public string Finish()
    {
        string rest = Match(_detokenizer.Flush());
        return _stop is null || IsStopped ? rest : rest + _stop.Flush();
    }

    private string Match(string text)
    {
        if (_stop is null || text.Length == 0)
        {
            return text;
        }

        StopMatch match = _stop.Append(text);
        IsStopped = match.IsStopped;
        return match.Text;
    }
}
