using System.Globalization;
using System.Text;
using Serving.Grammars.Expressions;

namespace Serving.Grammars.Text;

/// <summary>Reads the text of a grammar: what both forms have in common.</summary>
/// <param name="comment">What begins a comment, which ends with its line.</param>
internal sealed class GrammarReader(string text, string comment)
{
    private const int RulesMax = 4_000;

    private readonly Dictionary<string, Rule> _rules = [];
    private int _depth;

    public int At { get; private set; }

    public bool IsAtEnd => At >= text.Length;

    public char Current => At < text.Length ? text[At] : '\0';

    public char Next => At + 1 < text.Length ? text[At + 1] : '\0';

    public bool StartsWith(string word) => text.AsSpan(At).StartsWith(word, StringComparison.Ordinal);

    public void Skip(int characters) => At += characters;

    public bool Take(string word)
    {
        if (!StartsWith(word))
        {
            return false;
        }

        At += word.Length;
        return true;
    }

    public void Expect(string word, string where)
    {
        if (!Take(word))
        {
            throw Fail($"needs '{word}' {where}");
        }
    }

    /// <summary>Skips white space and comments.</summary>
    public void SkipSpace()
    {
        while (!IsAtEnd && (char.IsWhiteSpace(Current) || StartsWith(comment)))
        {
            TakeWhile(StartsWith(comment) ? character => character != '\n' : char.IsWhiteSpace);
        }
    }

    public string TakeWhile(Func<char, bool> isIn)
    {
        var begin = At;
        while (!IsAtEnd && isIn(Current))
        {
            At++;
        }

        return text[begin..At];
    }

    /// <summary>Looks ahead without moving.</summary>
    public T Peek<T>(Func<T> read)
    {
        var begin = At;
        var result = read();
        At = begin;
        return result;
    }

    /// <summary>The rule of a name, which may be defined later.</summary>
    public Rule RuleOf(string name)
    {
        if (!_rules.TryGetValue(name, out var rule))
        {
            rule = new Rule($"rule '{name}'");
            _rules.Add(name, rule);
            if (_rules.Count > RulesMax)
            {
                throw Fail($"has more than {RulesMax} rules");
            }
        }

        return rule;
    }

    /// <summary>Refers to the rule of a name that was read where an item must stand.</summary>
    public Expression ReferenceTo(string name) => name.Length > 0 ? RuleOf(name).Reference : throw Fail($"has '{Current}' where no rule has it");

    public void Define(string name, Expression body)
    {
        var rule = RuleOf(name);
        rule.Body = rule.Body is null ? body : throw Fail($"defines '{name}' twice");
    }

    /// <summary>The grammar, once all is read.</summary>
    public Expression Finish(string root)
    {
        foreach (var (name, rule) in _rules)
        {
            if (rule.Body is null)
            {
                throw new GrammarException("", $"refers to '{name}', which it does not define.");
            }
        }

        return _rules.TryGetValue(root, out var start) ? start.Reference : throw new GrammarException("", $"has no rule '{root}', with which an answer begins.");
    }

    /// <summary>Sequences with a bar between them: a rule's, or a group's, which count as nested.</summary>
    public Expression ReadAlternatives(Func<Expression> readSequence)
    {
        if (++_depth > GrammarLimits.NestingMax)
        {
            throw Fail($"has groups more than {GrammarLimits.NestingMax} deep");
        }

        var alternatives = new List<Expression> { readSequence() };
        while (Take("|"))
        {
            SkipSpace();
            alternatives.Add(readSequence());
        }

        _depth--;
        return Expression.Any(alternatives);
    }

    public int ReadCount() =>
        int.TryParse(TakeWhile(char.IsAsciiDigit), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= GrammarLimits.RepetitionMax
            ? count
            : throw Fail($"has a repetition that is not a number up to {GrammarLimits.RepetitionMax}");

    public Expression Repeat(Expression item, int min, int? max) =>
        max < min ? throw Fail($"has the counts {min} and {max} in the wrong order") : new Expression.Repeat(item, min, max);

    /// <summary>The characters of a literal, which begins here with its double quote.</summary>
    public List<int> ReadQuoted()
    {
        Skip(1);
        var characters = new List<int>();
        while (!IsAtEnd && Current != '"')
        {
            characters.Add(ReadCharacter());
        }

        Expect("\"", "at the end of a literal");
        return characters;
    }

    /// <summary>One character of a literal or class, escaped or not.</summary>
    public int ReadCharacter()
    {
        if (!Take("\\"))
        {
            if (!Rune.TryGetRuneAt(text, At, out var rune))
            {
                throw Fail("has half of a surrogate pair");
            }

            At += rune.Utf16SequenceLength;
            return rune.Value;
        }

        var letter = Current;
        At++;
        return letter switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'x' => ReadHex(2),
            'u' => ReadHex(4),
            'U' => ReadHex(8),
            '\\' or '"' or '\'' or '[' or ']' or '-' or '^' or '/' => letter,
            _ => throw Fail($"has the escape '\\{letter}', which is not known"),
        };
    }

    public GrammarException Fail(string what)
    {
        var line = text.AsSpan(0, Math.Min(At, text.Length)).Count('\n') + 1;
        return new GrammarException("", $"{what} (line {line}).");
    }

    private int ReadHex(int digits)
    {
        if (At + digits > text.Length
            || !int.TryParse(text.AsSpan(At, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            || !Rune.IsValid(value))
        {
            throw Fail($"has an escape that needs {digits} hexadecimal digits of a character");
        }

        At += digits;
        return value;
    }
}
