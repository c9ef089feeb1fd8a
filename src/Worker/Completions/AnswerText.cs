using Serving.Text.Streaming;
using Serving.Text.Tokenization;

namespace Serving.Worker.Completions;

/// <summary>Turns an answer's tokens into the text that the client sees: whole characters, no special tokens, nothing from a stop sequence on.</summary>
internal sealed class AnswerText(ITokenizer tokenizer, IReadOnlyList<string> stopSequences)
{
    private readonly StreamingDetokenizer _detokenizer = new(tokenizer);
    private readonly StopSequenceMatcher? _stop = stopSequences.Count > 0 ? new StopSequenceMatcher(stopSequences) : null;

    /// <summary>Whether a stop sequence has been met: the answer ends before it.</summary>
    public bool IsStopped => _stop?.IsStopped ?? false;

    /// <summary>The text that is certain after one more token; may be empty.</summary>
    public string Append(int token)
    {
        string text = _detokenizer.Append(token);
        return _stop is null ? text : _stop.Append(text);
    }

    /// <summary>What was held back in case that more would come.</summary>
    public string Finish()
    {
        string rest = _detokenizer.Flush();
        return _stop is null ? rest : _stop.Append(rest) + _stop.Flush();
    }
}
