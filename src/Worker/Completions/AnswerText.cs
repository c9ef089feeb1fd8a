using Serving.Text.Streaming;
using Serving.Text.Tokenization;

namespace Serving.Worker.Completions;

/// <summary>
/// Turns an answer's tokens into the text that the client sees: whole characters, no special tokens, nothing from a stop sequence on. It also knows which
/// tokens the client has seen, so that nothing that is told of a token gives away a text that is held back.
/// </summary>
/// <param name="minTokens">The text of so many first tokens is not looked at for stop sequences.</param>
internal sealed class AnswerText(ITokenizer tokenizer, IReadOnlyCollection<string> stopSequences, int minTokens = 0)
{
    private readonly StreamingDetokenizer _detokenizer = new(tokenizer);
    private readonly StopSequenceMatcher? _stop = stopSequences.Count > 0 ? new StopSequenceMatcher(stopSequences) : null;

    // Where the text of each token ends that is not yet sent; tokens that only together make characters end together.
    private readonly Queue<int> _ends = new();
    private int _undecidedTokens;
    private int _decodedLength;
    private int _sentLength;

    // Where the last token of SentTokens ends.
    private int _sentEnd;
    private int _tokens;

    /// <summary>The stop sequence that has been met: the answer ends before it.</summary>
    public string? StopSequence { get; private set; }

    /// <summary>How many tokens, from the first, have all their text with the client; after the end, those that have a part of it there too.</summary>
    public int SentTokens { get; private set; }

    /// <summary>The text that is certain after one more token; may be empty.</summary>
    public string Append(int token)
    {
        _tokens++;
        _undecidedTokens++;
        string text = _detokenizer.Append(token);
        _decodedLength += text.Length;
        if (!_detokenizer.HoldsBytes)
        {
            Decide();
        }

        return Send(_tokens > minTokens ? Match(text) : text);
    }

    /// <summary>Takes a special token that is a border inside of the answer: no character and no stop sequence spans it.</summary>
    /// <returns>What was held back before it.</returns>
    public string AppendBorder()
    {
        _tokens++;
        _undecidedTokens++;
        return Release();
    }

    /// <summary>Ends the text: what was held back in case that more would come.</summary>
    public string Finish()
    {
        string rest = StopSequence is null ? Release() : "";
        SendPartOfToken();
        return rest;
    }

    private string Release()
    {
        string rest = _detokenizer.Flush();
        _decodedLength += rest.Length;
        Decide();
        rest = Match(rest);
        return Send(_stop is null || StopSequence is not null ? rest : rest + _stop.Flush());
    }

    private string Match(string text)
    {
        if (_stop is null || text.Length == 0)
        {
            return text;
        }

        StopMatch match = _stop.Append(text);
        StopSequence = match.StopSequence;
        return match.Text;
    }

    private void Decide()
    {
        for (; _undecidedTokens > 0; _undecidedTokens--)
        {
            _ends.Enqueue(_decodedLength);
        }
    }

    private string Send(string text)
    {
        _sentLength += text.Length;
        while (_ends.TryPeek(out int end) && end <= _sentLength)
        {
            _sentEnd = end;
            _ends.Dequeue();
            SentTokens++;
        }

        return text;
    }

    /// <summary>A stop sequence may begin inside a token.</summary>
    private void SendPartOfToken()
    {
        if (_sentEnd < _sentLength && _ends.TryPeek(out int end))
        {
            _sentEnd = end;
            for (; _ends.TryPeek(out int next) && next == end; SentTokens++)
            {
                _ends.Dequeue();
            }
        }
    }
}
