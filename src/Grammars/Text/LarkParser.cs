using Serving.Grammars.Characters;
using Serving.Grammars.Expressions;
using Serving.Grammars.Regex;

namespace Serving.Grammars.Text;

/// <summary>
/// Reads a subset of Lark's form: rules and terminals (<c>name: alternatives</c>), literals with or without <c>i</c>, regular expressions in slashes, groups,
/// optional parts in brackets, <c>* + ? ~n..m</c>, ranges of characters, <c>%import common.X</c>, comments from <c>//</c>. There is no lexer in between: a text is in the
/// grammar if its characters are. <c>%ignore</c>, templates and priorities that choose between parses are refused. An answer is a text of the rule <c>start</c>.
/// </summary>
internal sealed class LarkParser
{
    /// <summary>Terminals of Lark's library that grammars import.</summary>
    private static readonly Dictionary<string, string> _common = new()
    {
        ["DIGIT"] = "[0-9]",
        ["HEXDIGIT"] = "[0-9A-Fa-f]",
        ["INT"] = "[0-9]+",
        ["SIGNED_INT"] = "[+-]?[0-9]+",
        ["DECIMAL"] = "[0-9]+\\.[0-9]*|\\.[0-9]+",
        ["FLOAT"] = "[0-9]+[eE][+-]?[0-9]+|([0-9]+\\.[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?",
        ["NUMBER"] = "[0-9]+([eE][+-]?[0-9]+)?|([0-9]+\\.[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?",
        ["SIGNED_NUMBER"] = "[+-]?([0-9]+([eE][+-]?[0-9]+)?|([0-9]+\\.[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?)",
        ["LCASE_LETTER"] = "[a-z]",
        ["UCASE_LETTER"] = "[A-Z]",
        ["LETTER"] = "[A-Za-z]",
        ["WORD"] = "[A-Za-z]+",
        ["CNAME"] = "[A-Za-z_][A-Za-z0-9_]*",
        ["WS_INLINE"] = "[ \\t]+",
        ["WS"] = "[ \\t\\f\\r\\n]+",
        ["NEWLINE"] = "(\\r?\\n)+",
        ["ESCAPED_STRING"] = "\"([^\"\\\\\\n]|\\\\[^\\n])*\"",
    };

    private readonly GrammarReader _reader;

    private LarkParser(string text) => _reader = new GrammarReader(text, comment: "//");

    /// <exception cref="GrammarException">It cannot be read.</exception>
    public static Expression Parse(string text)
    {
        var parser = new LarkParser(text);
        parser._reader.SkipSpace();
        while (!parser._reader.IsAtEnd)
        {
            parser.ReadStatement();
        }

        return parser._reader.Finish("start");
    }

    private void ReadStatement()
    {
        if (_reader.Take("%import"))
        {
            ReadImport();
            return;
        }

        if (_reader.Current == '%')
        {
            throw _reader.Fail($"has '{_reader.TakeWhile(character => !char.IsWhiteSpace(character))}', which is not held: write white space where it may come");
        }

        // Marks of how a tree is built say nothing about the text.
        _reader.TakeWhile(character => character is '?' or '!');
        var name = ReadName();
        if (name.Length == 0)
        {
            throw _reader.Fail($"has '{_reader.Current}' where the name of a rule should stand");
        }

        if (_reader.Current is '{' or '.')
        {
            throw _reader.Fail($"gives '{name}' parameters or a priority, which are not held");
        }

        _reader.SkipSpace();
        _reader.Expect(":", $"after the name '{name}'");
        _reader.SkipSpace();
        _reader.Define(name, ReadAlternatives());
    }

    private void ReadImport()
    {
        _reader.SkipSpace();
        _reader.Expect("common.", "after %import: only Lark's common library is there");
        var name = ReadName();
        var alias = name;
        SkipInline();
        if (_reader.Take("->"))
        {
            SkipInline();
            alias = ReadName();
        }

        _reader.Define(alias, _common.TryGetValue(name, out var pattern)
            ? RegexParser.Parse(pattern, RegexTarget.PlainText)
            : throw _reader.Fail($"imports common.{name}, which is not held: use {string.Join(", ", _common.Keys)}"));
        _reader.SkipSpace();
    }

    private Expression ReadAlternatives() => _reader.ReadAlternatives(ReadSequence);

    private Expression ReadSequence()
    {
        var items = new List<Expression>();
        while (!_reader.IsAtEnd && _reader.Current is not ('|' or ')' or ']' or '%') && !_reader.Peek(IsRuleHead))
        {
            if (_reader.Take("->"))
            {
                _reader.SkipSpace();
                ReadName();
            }
            else
            {
                items.Add(ReadRepetition(ReadItem()));
            }

            _reader.SkipSpace();
        }

        return Expression.All(items);
    }

    private Expression ReadItem()
    {
        switch (_reader.Current)
        {
            case '"':
                return ReadLiteralOrRange();
            case '/':
                return ReadRegex();
            case '(' or '[':
                var isOptional = _reader.Current == '[';
                _reader.Skip(1);
                _reader.SkipSpace();
                var group = ReadAlternatives();
                _reader.Expect(isOptional ? "]" : ")", "at the end of a group");
                return isOptional ? Expression.Optional(group) : group;
            default:
                return _reader.ReferenceTo(ReadName());
        }
    }

    private Expression ReadRepetition(Expression item)
    {
        SkipInline();
        switch (_reader.Current)
        {
            case '*':
                _reader.Skip(1);
                return new Expression.Repeat(item, 0, null);
            case '+':
                _reader.Skip(1);
                return new Expression.Repeat(item, 1, null);
            case '?' when !char.IsAsciiLetter(_reader.Next):
                _reader.Skip(1);
                return Expression.Optional(item);
            case '~':
                _reader.Skip(1);
                SkipInline();
                var min = _reader.ReadCount();
                return _reader.Repeat(item, min, _reader.Take("..") ? _reader.ReadCount() : min);
            default:
                return item;
        }
    }

    private Expression ReadLiteralOrRange()
    {
        var first = _reader.ReadQuoted();
        if (_reader.StartsWith("..") && _reader.Peek(() => _reader.Take("..") && _reader.Current == '"'))
        {
            _reader.Skip(2);
            var last = _reader.ReadQuoted();
            return first is [var low] && last is [var high] && low <= high
                ? new Expression.Characters(CodePointSet.Of([(low, high)]))
                : throw _reader.Fail("has a range that is not from one character to a later one");
        }

        if (!_reader.Take("i"))
        {
            return Expression.Literal(string.Concat(first.Select(char.ConvertFromUtf32)));
        }

        return Expression.All([.. first.Select(character => (Expression)new Expression.Characters(EitherCase(character)))]);
    }

    private static CodePointSet EitherCase(int character)
    {
        var text = char.ConvertFromUtf32(character);
        return CodePointSet.OfAny(text.ToUpperInvariant() + text.ToLowerInvariant());
    }

    private Expression ReadRegex()
    {
        _reader.Skip(1);
        var pattern = new System.Text.StringBuilder();
        while (!_reader.IsAtEnd && _reader.Current != '/')
        {
            if (_reader.Take("\\/"))
            {
                pattern.Append('/');
                continue;
            }

            var length = _reader.Current == '\\' ? 2 : 1;
            for (var i = 0; i < length; i++)
            {
                pattern.Append(_reader.Current);
                _reader.Skip(1);
            }
        }

        _reader.Expect("/", "at the end of a regular expression");
        return char.IsAsciiLetter(_reader.Current)
            ? throw _reader.Fail("gives a regular expression flags, which are not held")
            : RegexParser.Parse(pattern.ToString(), RegexTarget.PlainText);
    }

    private bool IsRuleHead()
    {
        _reader.TakeWhile(character => character is '?' or '!');
        if (ReadName().Length == 0)
        {
            return false;
        }

        if (_reader.Current is '{' or '.')
        {
            return _reader.Current == '{' || char.IsAsciiDigit(_reader.Next);
        }

        SkipInline();
        return _reader.Current == ':';
    }

    private string ReadName() => _reader.TakeWhile(character => char.IsAsciiLetterOrDigit(character) || character == '_');

    private void SkipInline() => _reader.TakeWhile(character => character is ' ' or '\t');
}
