using Serving.Text.Templates.Rendering;

namespace Serving.Text.Templates.Syntax;

/// <summary>
/// A recursive-descent parser for Jinja's grammar, as the template language has it in Jinja 3.1: same precedences, same places where a
/// tuple needs no parentheses.
/// </summary>
internal sealed partial class Parser
{
    /// <summary>Nested brackets or blocks. A level takes about 2 KB of stack.</summary>
    private const int DepthMax = 150;

    private readonly List<Token> _tokens;
    private HashSet<string> _names = new(StringComparer.Ordinal);

    /// <summary>Filters and tests that do not exist. Jinja minds only those outside conditions before it reaches them.</summary>
    private readonly List<SyntaxException> _unknown = [];

    private int _index;
    private int _depth;

    private Parser(List<Token> tokens) => _tokens = tokens;

    /// <summary>Parses a normalized source; <paramref name="names"/> are the variables it reads.</summary>
    public static Node[] Parse(string normalizedSource, out IReadOnlySet<string> names)
    {
        var parser = new Parser(Lexer.Tokenize(normalizedSource));
        Node[] body = parser.ParseBody([]);
        names = parser._names;
        return parser._unknown.Count == 0 ? body : throw parser._unknown[0];
    }

    private Token Current => _tokens[_index];

    private Token Next => _tokens[Math.Min(_index + 1, _tokens.Count - 1)];

    private Token Take()
    {
        Token token = Current;
        if (token.Kind != TokenKind.End)
        {
            _index++;
        }

        return token;
    }

    private bool IsOperator(string text) => Current.Is(TokenKind.Operator, text);

    private bool IsName(string text) => Current.Is(TokenKind.Name, text);

    private bool TrySkipOperator(string text) => TrySkip(TokenKind.Operator, text);

    private bool TrySkipName(string text) => TrySkip(TokenKind.Name, text);

    private bool TrySkip(TokenKind kind, string text)
    {
        if (!Current.Is(kind, text))
        {
            return false;
        }

        _index++;
        return true;
    }

    private Token Expect(TokenKind kind, string what) =>
        Current.Kind == kind ? Take() : throw Fail($"expected {what}, got {Current.Description}");

    private string ExpectName() => Expect(TokenKind.Name, "a name").Text;

    private void ExpectOperator(string text)
    {
        if (!TrySkipOperator(text))
        {
            throw Fail($"expected '{text}', got {Current.Description}");
        }
    }

    private SyntaxException Fail(string message) => new(message, Current.Offset);

    private void Enter()
    {
        if (++_depth > DepthMax)
        {
            throw new SyntaxException($"the template nests deeper than {DepthMax} levels", Current.Offset, TemplateErrorKind.Limit);
        }
    }

    private void Exit() => _depth--;

    /// <summary>What was parsed since <paramref name="count"/> turned out to stand in a condition.</summary>
    private void ForgiveUnknown(int count) => _unknown.RemoveRange(count, _unknown.Count - count);
}
