using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;

namespace Serving.Text.ToolCalls.Parsing;

/// <summary>
/// An answer as symbols: characters, markers, the end. A marker comes as a special token where the model has one for it, else as the characters that spell
/// it. Where characters may still become a marker, the reader waits for the next ones.
/// </summary>
/// <param name="markers">The texts of all markers.</param>
/// <param name="spelled">Which of them, by their indices, are recognised by their characters.</param>
internal sealed class AnswerReader(ImmutableArray<string> markers, ImmutableArray<int> spelled)
{
    public const int End = -1;

    /// <summary>Symbols from here on are markers by their index; below are UTF-16 units.</summary>
    public const int FirstMarker = char.MaxValue + 1;

    private const int Unknown = -2;

    private readonly StringBuilder _record = new();
    private readonly char[] _unit = new char[1];
    private int[] _pending = new int[64];
    private int _start;
    private int _end;
    private int _symbol = Unknown;
    private bool _isFinished;
    private bool _isRecording;
    private Action? _waiting;

    public void Append(ReadOnlySpan<char> text)
    {
        MakeRoom(text.Length);
        foreach (char unit in text)
        {
            _pending[_end++] = unit;
        }

        Run();
    }

    public void AppendMarker(int marker)
    {
        MakeRoom(1);
        _pending[_end++] = FirstMarker + marker;
        Run();
    }

    public void Finish()
    {
        _isFinished = true;
        Run();
    }

    /// <summary>The next symbol, which stays the next one.</summary>
    public Peek PeekAsync() => new(this);

    /// <summary>The symbol of a marker; <see cref="End"/>, which is never taken, where the model's form has no such marker.</summary>
    public int Marker(string text) => markers.IndexOf(text) is var index and >= 0 ? FirstMarker + index : End;

    /// <summary>Takes the symbol that was peeked at.</summary>
    public void Take()
    {
        if (_symbol == End)
        {
            return;
        }

        if (_isRecording)
        {
            _record.Append(TextOf(_symbol));
        }

        _start += _symbol >= FirstMarker && _pending[_start] < FirstMarker ? markers[_symbol - FirstMarker].Length : 1;
        _symbol = Unknown;
    }

    /// <summary>Writes down what is taken from here on.</summary>
    public void StartRecord()
    {
        _record.Clear();
        _isRecording = true;
    }

    /// <summary>What was taken since the record began.</summary>
    public string EndRecord()
    {
        _isRecording = false;
        return _record.ToString();
    }

    /// <summary>The characters of a symbol, until the next call.</summary>
    public ReadOnlySpan<char> TextOf(int symbol)
    {
        if (symbol >= FirstMarker)
        {
            return markers[symbol - FirstMarker];
        }

        _unit[0] = (char)symbol;
        return symbol == End ? default : _unit;
    }

    public async ParseTask<bool> SkipSpaceAsync()
    {
        while (IsSpace(await PeekAsync()))
        {
            Take();
        }

        return true;
    }

    /// <summary>Takes the symbol if it is the next one. The end is never taken.</summary>
    public async ParseTask<bool> TakeAsync(int wanted)
    {
        if (wanted == End || await PeekAsync() != wanted)
        {
            return false;
        }

        Take();
        return true;
    }

    /// <summary>Takes characters as long as they are these.</summary>
    /// <returns>Whether all have come.</returns>
    public async ParseTask<bool> TakeAsync(string wanted)
    {
        foreach (char unit in wanted)
        {
            if (!await TakeAsync(unit))
            {
                return false;
            }
        }

        return true;
    }

    public static bool IsSpace(int symbol) => symbol is >= 0 and < FirstMarker && char.IsWhiteSpace((char)symbol);

    private void Run()
    {
        while (_waiting is { } next && TryPeek())
        {
            _waiting = null;
            next();
        }
    }

    /// <summary>Finds the next symbol, unless it takes more input to say what it is.</summary>
    private bool TryPeek()
    {
        if (_symbol != Unknown)
        {
            return true;
        }

        if (_start == _end)
        {
            _symbol = _isFinished ? End : Unknown;
            return _isFinished;
        }

        int longest = -1;
        foreach (int marker in spelled)
        {
            string text = markers[marker];
            int matching = CountMatching(text);
            if (matching == text.Length)
            {
                longest = longest < 0 || text.Length > markers[longest].Length ? marker : longest;
            }
            else if (matching == _end - _start && !_isFinished)
            {
                return false;
            }
        }

        _symbol = longest >= 0 ? FirstMarker + longest : _pending[_start];
        return true;
    }

    private int CountMatching(string marker)
    {
        int count = 0;
        int most = Math.Min(marker.Length, _end - _start);
        while (count < most && _pending[_start + count] == marker[count])
        {
            count++;
        }

        return count;
    }

    private void MakeRoom(int count)
    {
        // What is pending between two pieces is shorter than a marker.
        _pending.AsSpan(_start, _end - _start).CopyTo(_pending);
        _end -= _start;
        _start = 0;
        if (_end + count > _pending.Length)
        {
            Array.Resize(ref _pending, Math.Max(_pending.Length * 2, _end + count));
        }
    }

    /// <summary>The awaiter of <see cref="PeekAsync"/>.</summary>
    internal readonly struct Peek(AnswerReader reader) : INotifyCompletion
    {
        public bool IsCompleted => reader.TryPeek();

        public Peek GetAwaiter() => this;

        public int GetResult() => reader._symbol;

        public void OnCompleted(Action continuation) => reader._waiting = continuation;
    }
}
