using System.Globalization;
using Serving.Grammars.Characters;
using Serving.Grammars.Expressions;

namespace Serving.Grammars.Regex;

/// <summary>
/// Reads ECMA 262's regular expressions, as JSON Schema uses them (Unicode mode): alternatives, groups, classes, quantifiers, anchors at the ends. What is not
/// regular (back references, look-around) or needs what lies around a place (<c>\b</c>) is refused.
/// </summary>
internal sealed class RegexParser
{
    private readonly string _pattern;
    private readonly RegexTarget _target;
    private int _at;
    private int _depth;

    private RegexParser(string pattern, RegexTarget target)
    {
        _pattern = pattern;
        _target = target;
    }

    /// <exception cref="GrammarException">It cannot be read.</exception>
    public static Expression Parse(string pattern, RegexTarget target)
    {
        if (pattern.Length > GrammarLimits.SourceLengthMax)
        {
            throw new GrammarException("", $"has {pattern.Length} characters; at most {GrammarLimits.SourceLengthMax} are allowed.");
        }

        var parser = new RegexParser(pattern, target);
        var expression = parser.ReadAlternatives(isTop: true);
        return parser._at < pattern.Length ? throw parser.Fail("has a ')' without its '('") : expression;
    }

    private Expression ReadAlternatives(bool isTop)
    {
        if (++_depth > GrammarLimits.NestingMax)
        {
            throw Fail($"has groups more than {GrammarLimits.NestingMax} deep");
        }

        var alternatives = new List<Expression> { ReadAlternative(isTop) };
        while (Take('|'))
        {
            alternatives.Add(ReadAlternative(isTop));
        }

        _depth--;
        return Expression.Any(alternatives);
    }

    private Expression ReadAlternative(bool isTop)
    {
        var items = new List<Expression>();
        var isAnchoredAtStart = isTop && Take('^');
        var isAnchoredAtEnd = false;
        while (_at < _pattern.Length && _pattern[_at] is not ('|' or ')'))
        {
            if (isTop && IsLast('$'))
            {
                _at++;
                isAnchoredAtEnd = true;
                break;
            }

            items.Add(ReadQuantified());
        }

        if (isTop && !_target.MatchesWhole)
        {
            var anything = new Expression.Repeat(_target.Write(CodePointSet.All), 0, null);
            items.Insert(0, isAnchoredAtStart ? Expression.Nothing : anything);
            items.Add(isAnchoredAtEnd ? Expression.Nothing : anything);
        }

        return Expression.All(items);
    }

    private Expression ReadQuantified()
    {
        var item = ReadAtom();
        if (_at < _pattern.Length && ReadQuantifier() is var (min, max))
        {
            // Lazy or greedy, the texts are the same.
            Take('?');
            if (max < min)
            {
                throw Fail($"has the bounds {{{min},{max}}} in the wrong order");
            }

            item = new Expression.Repeat(item, min, max);
            if (_at < _pattern.Length && _pattern[_at] is ('*' or '+' or '?' or '{'))
            {
                throw Fail("has a quantifier after a quantifier");
            }
        }

        return item;
    }

    private (int Min, int? Max)? ReadQuantifier()
    {
        switch (_pattern[_at])
        {
            case '*':
                _at++;
                return (0, null);
            case '+':
                _at++;
                return (1, null);
            case '?':
                _at++;
                return (0, 1);
            case '{':
                _at++;
                var min = ReadCount();
                var max = Take(',') ? _at < _pattern.Length && _pattern[_at] == '}' ? (int?)null : ReadCount() : min;
                return Take('}') ? (min, max) : throw Fail("has a '{' without a count: write \\{ for the character");
            default:
                return null;
        }
    }

    private int ReadCount()
    {
        var begin = _at;
        while (_at < _pattern.Length && char.IsAsciiDigit(_pattern[_at]))
        {
            _at++;
        }

        return int.TryParse(_pattern.AsSpan(begin, _at - begin), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= GrammarLimits.RepetitionMax
            ? count
            : throw Fail($"has a repetition that is not a number up to {GrammarLimits.RepetitionMax}");
    }

    private Expression ReadAtom()
    {
        switch (_pattern[_at])
        {
            case '(':
                return ReadGroup();
            case '[':
                _at++;
                return _target.Write(ReadClass());
            case '.':
                _at++;
                return _target.Write(CharacterClasses.Dot);
            case '\\':
                _at++;
                return _target.Write(ReadEscape(inClass: false));
            case '^' or '$':
                throw Fail($"has a '{_pattern[_at]}' in its middle: anchors are held at the ends of the whole expression and of its alternatives only");
            case '*' or '+' or '?' or '{':
                throw Fail("has nothing before a quantifier");
            default:
                return _target.Write(CodePointSet.Of(ReadRune()));
        }
    }

    private Expression ReadGroup()
    {
        _at++;
        if (Take('?'))
        {
            if (Take('<') && _at < _pattern.Length && _pattern[_at] is not ('=' or '!'))
            {
                _at = _pattern.IndexOf('>', _at) is var end and >= 0 ? end + 1 : throw Fail("has a group's name without its '>'");
            }
            else if (!Take(':'))
            {
                throw Fail("has a look-around or a flag: no automaton holds those");
            }
        }

        var group = ReadAlternatives(isTop: false);
        return Take(')') ? group : throw Fail("has a '(' without its ')'");
    }

    private CodePointSet ReadClass()
    {
        var isNegated = Take('^');
        var set = CodePointSet.Empty;
        while (_at < _pattern.Length && _pattern[_at] != ']')
        {
            var (first, firstSet) = ReadClassItem();
            if (first is { } low && _at + 1 < _pattern.Length && _pattern[_at] == '-' && _pattern[_at + 1] != ']')
            {
                _at++;
                var (last, _) = ReadClassItem();
                firstSet = last is { } high && high >= low
                    ? CodePointSet.Of([(low, high)])
                    : throw Fail("has a range in a class whose end is not a character after its begin");
            }

            set = set.Union(firstSet);
        }

        return Take(']') ? isNegated ? set.Complement() : set : throw Fail("has a '[' without its ']'");
    }

    private (int? CodePoint, CodePointSet Set) ReadClassItem()
    {
        if (!Take('\\'))
        {
            var rune = ReadRune();
            return (rune, CodePointSet.Of(rune));
        }

        var set = ReadEscape(inClass: true);
        return (set.Ranges is [var only] && only.First == only.Last ? only.First : null, set);
    }

    private CodePointSet ReadEscape(bool inClass)
    {
        if (_at >= _pattern.Length)
        {
            throw Fail("ends with a '\\'");
        }

        var letter = _pattern[_at++];
        return letter switch
        {
            'd' => CharacterClasses.Digit,
            'D' => CharacterClasses.Digit.Complement(),
            'w' => CharacterClasses.Word,
            'W' => CharacterClasses.Word.Complement(),
            's' => CharacterClasses.Space,
            'S' => CharacterClasses.Space.Complement(),
            'p' or 'P' => ReadProperty(letter == 'P'),
            'n' => CodePointSet.Of('\n'),
            'r' => CodePointSet.Of('\r'),
            't' => CodePointSet.Of('\t'),
            'f' => CodePointSet.Of('\f'),
            'v' => CodePointSet.Of('\v'),
            '0' when _at >= _pattern.Length || !char.IsAsciiDigit(_pattern[_at]) => CodePointSet.Of(0),
            'b' when inClass => CodePointSet.Of('\b'),
            'x' => CodePointSet.Of(ReadHex(2)),
            'u' => CodePointSet.Of(ReadUnicode()),
            'c' when _at < _pattern.Length && char.IsAsciiLetter(_pattern[_at]) => CodePointSet.Of(_pattern[_at++] % 32),
            _ when char.IsAsciiLetterOrDigit(letter) => throw Fail($"has \\{letter}, which no automaton here holds"),
            _ => BackToRune(),
        };
    }

    private CodePointSet BackToRune()
    {
        _at--;
        return CodePointSet.Of(ReadRune());
    }

    private CodePointSet ReadProperty(bool isNegated)
    {
        var end = Take('{') ? _pattern.IndexOf('}', _at) : -1;
        if (end < 0 || CharacterClasses.Property(_pattern[_at..end]) is not { } set)
        {
            throw Fail("has a \\p that names no general category, such as \\p{L} or \\p{Lu}");
        }

        _at = end + 1;
        return isNegated ? set.Complement() : set;
    }

    private int ReadUnicode()
    {
        if (Take('{'))
        {
            var end = _pattern.IndexOf('}', _at);
            var digits = end < 0 ? 0 : end - _at;
            var codePoint = digits is > 0 and <= 6 ? ReadHex(digits) : throw Fail("has a \\u{ without up to six hexadecimal digits and '}'");
            _at++;
            return codePoint <= CodePointSet.Last ? codePoint : throw Fail("has a \\u beyond Unicode");
        }

        var unit = ReadHex(4);
        if (char.IsHighSurrogate((char)unit) && _at + 1 < _pattern.Length && _pattern[_at] == '\\' && _pattern[_at + 1] == 'u')
        {
            _at += 2;
            var low = ReadHex(4);
            return char.IsLowSurrogate((char)low) ? char.ConvertToUtf32((char)unit, (char)low) : throw Fail("has half of a surrogate pair");
        }

        return char.IsSurrogate((char)unit) ? throw Fail("has half of a surrogate pair") : unit;
    }

    private int ReadHex(int digits)
    {
        if (_at + digits > _pattern.Length
            || !int.TryParse(_pattern.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
        {
            throw Fail($"has an escape that needs {digits} hexadecimal digits");
        }

        _at += digits;
        return value;
    }

    private int ReadRune()
    {
        if (!System.Text.Rune.TryGetRuneAt(_pattern, _at, out var rune))
        {
            throw Fail("has half of a surrogate pair");
        }

        _at += rune.Utf16SequenceLength;
        return rune.Value;
    }

    private bool IsLast(char character) =>
        _pattern[_at] == character && (_at + 1 == _pattern.Length || _pattern[_at + 1] == '|');

    private bool Take(char character)
    {
        if (_at >= _pattern.Length || _pattern[_at] != character)
        {
            return false;
        }

        _at++;
        return true;
    }

    private GrammarException Fail(string what) => new("", $"{what} (at character {_at}).");
}
