using System.Text;

namespace Serving.Text.ToolCalls.Parsing;

/// <summary>Collects what a parser finds. White space is held until it is known whether it stands inside of something or at a border.</summary>
internal sealed class AnswerWriter
{
    private readonly List<AnswerDelta> _deltas = [];
    private readonly StringBuilder _run = new();
    private readonly StringBuilder _space = new();
    private AnswerDeltaKind _runKind;
    private AnswerDeltaKind? _last;
    private bool _atBorder;

    public int Calls { get; private set; }

    public bool IsReasoning => _last == AnswerDeltaKind.Reasoning;

    /// <summary>Whether there is any text but white space, or a call.</summary>
    public bool HasContent { get; private set; }

    public void Content(ReadOnlySpan<char> text) => Text(AnswerDeltaKind.Content, text);

    public void Reasoning(ReadOnlySpan<char> text) => Text(AnswerDeltaKind.Reasoning, text);

    public void BeginReasoning() => Enter(AnswerDeltaKind.Reasoning);

    public void BeginCall(string name)
    {
        EndRun();
        Enter(AnswerDeltaKind.CallName);
        _deltas.Add(new AnswerDelta(AnswerDeltaKind.CallName, Calls++, name));
        HasContent = true;
    }

    /// <summary>A piece of the last call's arguments.</summary>
    public void Arguments(ReadOnlySpan<char> text)
    {
        StartRun(AnswerDeltaKind.CallArguments);
        _run.Append(text);
    }

    public void Finish()
    {
        if (_last == AnswerDeltaKind.Content && Calls == 0)
        {
            WriteSpace(AnswerDeltaKind.Content);
        }

        _space.Clear();
    }

    public void TakeTo(ICollection<AnswerDelta> deltas)
    {
        EndRun();
        foreach (AnswerDelta delta in _deltas)
        {
            deltas.Add(delta);
        }

        _deltas.Clear();
    }

    private void Text(AnswerDeltaKind kind, ReadOnlySpan<char> text)
    {
        Enter(kind);
        foreach (char unit in text)
        {
            if (!char.IsWhiteSpace(unit))
            {
                WriteSpace(kind);
                StartRun(kind);
                _run.Append(unit);
                _atBorder = false;
                HasContent |= kind == AnswerDeltaKind.Content;
            }
            else if (!_atBorder)
            {
                _space.Append(unit);
            }
        }
    }

    private void Enter(AnswerDeltaKind kind)
    {
        if (_last == kind)
        {
            return;
        }

        // White space before the very first text is the text's own.
        _atBorder = _last is not null || kind != AnswerDeltaKind.Content;
        _last = kind;
        _space.Clear();
    }

    private void WriteSpace(AnswerDeltaKind kind)
    {
        if (_space.Length > 0)
        {
            StartRun(kind);
            _run.Append(_space);
            _space.Clear();
        }
    }

    private void StartRun(AnswerDeltaKind kind)
    {
        if (_runKind != kind)
        {
            EndRun();
            _runKind = kind;
        }
    }

    private void EndRun()
    {
        if (_run.Length > 0)
        {
            int call = _runKind == AnswerDeltaKind.CallArguments ? Calls - 1 : -1;
            _deltas.Add(new AnswerDelta(_runKind, call, _run.ToString()));
            _run.Clear();
        }
    }
}
