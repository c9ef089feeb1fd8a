using Serving.Grammars.Characters;
using Serving.Grammars.Expressions;

namespace Serving.Grammars.Text;

/// <summary>
/// Reads GBNF, llama.cpp's form: <c>name ::= alternatives</c>, literals in double quotes, classes in brackets, groups, <c>* + ? {m,n}</c>, comments from <c>#</c>.
/// An answer is a text of the rule <c>root</c>.
/// </summary>
internal sealed class GbnfParser
{
    private readonly GrammarReader _reader;

    private GbnfParser(string text) => _reader = new GrammarReader(text, comment: "#");

    /// <exception cref="GrammarException">It cannot be read.</exception>
    public static Expression Parse(string text)
    {
        var parser = new GbnfParser(text);
        parser._reader.SkipSpace();
        while (!parser._reader.IsAtEnd)
        {
            parser.ReadRule();
        }

        return parser._reader.Finish("root");
    }

    private void ReadRule()
    {
        var name = ReadName();
        if (name.Length == 0)
        {
            throw _reader.Fail($"has '{_reader.Current}' where the name of a rule should stand");
        }

        _reader.SkipSpace();
        _reader.Expect("::=", $"after the name '{name}'");
        _reader.SkipSpace();
        _reader.Define(name, ReadAlternatives());
    }

    private Expression ReadAlternatives() => _reader.ReadAlternatives(ReadSequence);

    private Expression ReadSequence()
    {
        var items = new List<Expression>();
        while (!_reader.IsAtEnd && _reader.Current is not ('|' or ')') && !_reader.Peek(IsRuleHead))
        {
            var item = ReadItem();
            _reader.SkipSpace();
            items.Add(ReadRepetition(item));
            _reader.SkipSpace();
        }

        return Expression.All(items);
    }

    private Expression ReadItem()
    {
        switch (_reader.Current)
        {
            case '"':
                return Expression.Literal(string.Concat(_reader.ReadQuoted().Select(char.ConvertFromUtf32)));
            case '[':
                return ReadClass();
            case '.':
                _reader.Skip(1);
                return new Expression.Characters(CodePointSet.All);
            case '(':
                _reader.Skip(1);
                _reader.SkipSpace();
                var group = ReadAlternatives();
                _reader.Expect(")", "at the end of a group");
                return group;
            default:
                return _reader.ReferenceTo(ReadName());
        }
    }

    private Expression ReadRepetition(Expression item)
    {
        while (true)
        {
            switch (_reader.Current)
            {
                case '*':
                    item = new Expression.Repeat(item, 0, null);
                    break;
                case '+':
                    item = new Expression.Repeat(item, 1, null);
                    break;
                case '?':
                    item = Expression.Optional(item);
                    break;
                case '{':
                    _reader.Skip(1);
                    var min = _reader.Current == ',' ? 0 : _reader.ReadCount();
                    var max = _reader.Take(",") ? _reader.Current == '}' ? (int?)null : _reader.ReadCount() : min;
                    item = _reader.Current == '}' ? _reader.Repeat(item, min, max) : throw _reader.Fail("has a '{' without its '}'");
                    break;
                default:
                    return item;
            }

            _reader.Skip(1);
            _reader.SkipSpace();
        }
    }

    private Expression.Characters ReadClass()
    {
        _reader.Skip(1);
        var isNegated = _reader.Take("^");
        var ranges = new List<(int, int)>();
        while (!_reader.IsAtEnd && _reader.Current != ']')
        {
            var first = _reader.ReadCharacter();
            var last = first;
            if (_reader.Current == '-' && _reader.Next != ']')
            {
                _reader.Skip(1);
                last = _reader.ReadCharacter();
            }

            ranges.Add(first <= last ? (first, last) : throw _reader.Fail("has a range in a class that ends before it begins"));
        }

        _reader.Expect("]", "at the end of a class");
        var set = CodePointSet.Of(ranges);
        return new Expression.Characters(isNegated ? set.Complement() : set);
    }

    private bool IsRuleHead()
    {
        if (ReadName().Length == 0)
        {
            return false;
        }

        _reader.SkipSpace();
        return _reader.StartsWith("::=");
    }

    private string ReadName() => _reader.TakeWhile(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_');
}
