using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Syntax;

/// <summary>
/// Cuts a template into tokens. Whitespace is treated as Jinja does with <c>trim_blocks</c> and <c>lstrip_blocks</c> on and
/// <c>keep_trailing_newline</c> off: the first newline after a block or comment goes, blanks before one at the start of a line go,
/// <c>-</c> takes all whitespace on its side and <c>+</c> keeps it.
/// </summary>
internal sealed partial class Lexer
{
    private readonly string _source;
    private readonly List<Token> _tokens = [];
    private int _position;
    private bool _atLineStart = true;

    private Lexer(string source) => _source = source;

    /// <summary>Newlines become <c>\n</c> and one at the very end goes; offsets of tokens count in this form.</summary>
    public static string Normalize(string source)
    {
        string normalized = source.ReplaceLineEndings("\n");
        return normalized.EndsWith('\n') ? normalized[..^1] : normalized;
    }

    public static List<Token> Tokenize(string normalizedSource)
    {
        var lexer = new Lexer(normalizedSource);
        lexer.Run();
        return lexer._tokens;
    }

    private void Run()
    {
        while (_position < _source.Length)
        {
            int begin = FindTag(_position);
            if (begin < 0)
            {
                AddData(_source[_position..], _position);
                break;
            }

            char kind = _source[begin + 1];
            char sign = begin + 2 < _source.Length && _source[begin + 2] is '-' or '+' ? _source[begin + 2] : '\0';
            AddData(TrimBefore(_source[_position..begin], sign, strips: kind != '{'), _position);
            _position = begin + (sign == '\0' ? 2 : 3);
            switch (kind)
            {
                case '#':
                    SkipComment(begin);
                    break;
                case '%' when TryEnterRaw():
                    ReadRaw(begin);
                    break;
                default:
                    ReadTag(begin, isBlock: kind == '%');
                    break;
            }
        }

        _tokens.Add(new Token(TokenKind.End, "", _source.Length));
    }

    private int FindTag(int from)
    {
        for (int i = _source.IndexOf('{', from); i >= 0 && i + 1 < _source.Length; i = _source.IndexOf('{', i + 1))
        {
            if (_source[i + 1] is '{' or '%' or '#')
            {
                return i;
            }
        }

        return -1;
    }

    private void AddData(string data, int offset)
    {
        if (data.Length > 0)
        {
            _tokens.Add(new Token(TokenKind.Data, data, offset));
        }
    }

    private string TrimBefore(string data, char sign, bool strips)
    {
        if (sign == '-')
        {
            int end = data.Length;
            while (end > 0 && PythonText.IsSpace(data[end - 1]))
            {
                end--;
            }

            return data[..end];
        }

        int lineStart = data.LastIndexOf('\n') + 1;
        bool blank = strips && sign != '+' && (lineStart > 0 || _atLineStart) && PythonText.Strip(data.AsSpan(lineStart)).IsEmpty;
        return blank ? data[..lineStart] : data;
    }

    private void SkipComment(int begin)
    {
        int end = _source.IndexOf("#}", _position, StringComparison.Ordinal);
        if (end < 0)
        {
            throw new SyntaxException("Missing end of comment tag", begin);
        }

        char sign = end > _position ? _source[end - 1] : '\0';
        _position = end + 2;
        FinishTag(sign, trims: true);
    }

    /// <summary>Consumes what follows a tag's closing braces: all whitespace after <c>-</c>, one newline after a plain block or comment.</summary>
    private void FinishTag(char sign, bool trims)
    {
        if (sign == '-')
        {
            SkipSpace();
        }
        else if (trims && sign != '+' && _position < _source.Length && _source[_position] == '\n')
        {
            _position++;
        }

        _atLineStart = _source[_position - 1] == '\n';
    }

    /// <summary>After <c>{%</c>: whether this is <c>raw</c>; if so, moves behind its <c>%}</c>.</summary>
    private bool TryEnterRaw()
    {
        int start = _position;
        SkipSpace();
        if (TrySkip("raw"))
        {
            SkipSpace();
            bool strips = TrySkip("-%}");
            if (strips || TrySkip("%}"))
            {
                FinishTag(strips ? '-' : '\0', trims: false);
                return true;
            }
        }

        _position = start;
        return false;
    }

    private void ReadRaw(int begin)
    {
        int start = _position;
        for (int tag = _source.IndexOf("{%", start, StringComparison.Ordinal); tag >= 0; tag = _source.IndexOf("{%", tag + 2, StringComparison.Ordinal))
        {
            _position = tag + 2;
            char sign = TrySkip("-") ? '-' : TrySkip("+") ? '+' : '\0';
            SkipSpace();
            if (!TrySkip("endraw"))
            {
                continue;
            }

            SkipSpace();
            char end = TrySkip("-%}") ? '-' : TrySkip("+%}") ? '+' : TrySkip("%}") ? ' ' : '\0';
            if (end != '\0')
            {
                AddData(TrimBefore(_source[start..tag], sign, strips: true), start);
                FinishTag(end, trims: true);
                return;
            }
        }

        throw new SyntaxException("Missing end of raw directive", begin);
    }

    private bool TrySkip(string text)
    {
        if (string.CompareOrdinal(_source, _position, text, 0, text.Length) != 0)
        {
            return false;
        }

        _position += text.Length;
        return true;
    }

    private void SkipSpace()
    {
        while (_position < _source.Length && PythonText.IsSpace(_source[_position]))
        {
            _position++;
        }
    }
}
