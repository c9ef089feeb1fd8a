using System.Text;

namespace Serving.Text.Templates.Syntax;

/// <content>Tokens inside <c>{{ }}</c> and <c>{% %}</c>.</content>
internal sealed partial class Lexer
{
    private static readonly string[] TwoCharOperators = ["//", "**", "==", "!=", ">=", "<="];

    private void ReadTag(int begin, bool isBlock)
    {
        _tokens.Add(new Token(isBlock ? TokenKind.BlockBegin : TokenKind.VariableBegin, "", begin));
        var brackets = new Stack<char>();
        while (true)
        {
            SkipSpace();
            if (_position >= _source.Length)
            {
                throw new SyntaxException($"the tag that begins here has no end ('{(isBlock ? "%}" : "}}")}')", begin);
            }

            if (brackets.Count == 0 && TryEndTag(isBlock))
            {
                return;
            }

            ReadToken(brackets);
        }
    }

    private bool TryEndTag(bool isBlock)
    {
        int start = _position;
        string end = isBlock ? "%}" : "}}";
        char sign = TrySkip("-" + end) ? '-' : isBlock && TrySkip("+" + end) ? '+' : TrySkip(end) ? ' ' : '\0';
        if (sign == '\0')
        {
            return false;
        }

        _tokens.Add(new Token(isBlock ? TokenKind.BlockEnd : TokenKind.VariableEnd, "", start));
        FinishTag(sign, trims: isBlock);
        return true;
    }

    private void ReadToken(Stack<char> brackets)
    {
        char first = _source[_position];
        if (char.IsAsciiDigit(first))
        {
            ReadNumber();
        }
        else if (first == '_' || char.IsLetter(first))
        {
            int start = _position;
            while (_position < _source.Length && (_source[_position] == '_' || char.IsLetterOrDigit(_source[_position])))
            {
                _position++;
            }

            Add(TokenKind.Name, start);
        }
        else if (first is '\'' or '"')
        {
            ReadString(first);
        }
        else
        {
            ReadOperator(brackets);
        }
    }

    private void ReadNumber()
    {
        int start = _position;
        if (_source[start] == '0' && start + 1 < _source.Length && _source[start + 1] is 'x' or 'X' or 'o' or 'O' or 'b' or 'B')
        {
            _position += 2;
            SkipWhile(static c => char.IsAsciiHexDigit(c) || c == '_');
            Add(TokenKind.Integer, start);
            return;
        }

        SkipWhile(static c => char.IsAsciiDigit(c) || c == '_');
        bool afterDot = start > 0 && _source[start - 1] == '.';
        bool isFloat = !afterDot && TrySkipFraction();
        isFloat |= !afterDot && TrySkipExponent();
        Add(isFloat ? TokenKind.Float : TokenKind.Integer, start);
    }

    private bool TrySkipFraction()
    {
        if (_position + 1 >= _source.Length || _source[_position] != '.' || !char.IsAsciiDigit(_source[_position + 1]))
        {
            return false;
        }

        _position++;
        SkipWhile(static c => char.IsAsciiDigit(c) || c == '_');
        return true;
    }

    private bool TrySkipExponent()
    {
        int digits = _position + 1;
        if (_position >= _source.Length || _source[_position] is not ('e' or 'E'))
        {
            return false;
        }

        digits += digits < _source.Length && _source[digits] is '+' or '-' ? 1 : 0;
        if (digits >= _source.Length || !char.IsAsciiDigit(_source[digits]))
        {
            return false;
        }

        _position = digits;
        SkipWhile(static c => char.IsAsciiDigit(c) || c == '_');
        return true;
    }

    private void ReadOperator(Stack<char> brackets)
    {
        int start = _position;
        string? two = Array.Find(TwoCharOperators, TrySkip);
        if (two is not null)
        {
            _tokens.Add(new Token(TokenKind.Operator, two, start));
            return;
        }

        char character = _source[_position++];
        switch (character)
        {
            case '(' or '[' or '{':
                brackets.Push(character == '(' ? ')' : character == '[' ? ']' : '}');
                break;
            case ')' or ']' or '}':
                if (!brackets.TryPop(out char expected))
                {
                    throw new SyntaxException($"unexpected '{character}'", start);
                }

                if (expected != character)
                {
                    throw new SyntaxException($"unexpected '{character}', expected '{expected}'", start);
                }

                break;
            case '+' or '-' or '/' or '*' or '%' or '~' or '>' or '<' or '=' or '.' or ':' or '|' or ',' or ';':
                break;
            default:
                throw new SyntaxException($"unexpected char '{character}'", start);
        }

        _tokens.Add(new Token(TokenKind.Operator, character.ToString(), start));
    }

    private void ReadString(char quote)
    {
        int start = _position++;
        var value = new StringBuilder();
        while (_position < _source.Length && _source[_position] != quote)
        {
            char character = _source[_position++];
            if (character == '\\' && _position < _source.Length)
            {
                StringEscape.Read(_source, ref _position, value);
            }
            else
            {
                value.Append(character);
            }
        }

        if (_position >= _source.Length)
        {
            throw new SyntaxException("the string that begins here has no end", start);
        }

        _position++;
        _tokens.Add(new Token(TokenKind.String, value.ToString(), start));
    }

    private void SkipWhile(Func<char, bool> belongs)
    {
        while (_position < _source.Length && belongs(_source[_position]))
        {
            _position++;
        }
    }

    private void Add(TokenKind kind, int start) => _tokens.Add(new Token(kind, _source[start.._position], start));
}
