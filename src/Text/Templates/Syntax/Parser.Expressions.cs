using System.Globalization;
using System.Numerics;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Rendering.Expressions;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Syntax;

/// <content>Operators, from the loosest binding to the tightest, and operands.</content>
internal sealed partial class Parser
{
    private static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];

    private Expression ParseExpression(bool withCondition = true)
    {
        Enter();
        int unknown = _unknown.Count;
        Expression expression = ParseOr();
        while (withCondition && IsName("if"))
        {
            int offset = Take().Offset;
            Expression condition = ParseOr();
            Expression? otherwise = TrySkipName("else") ? ParseExpression() : null;
            expression = new ConditionalExpression(offset, condition, expression, otherwise);
            ForgiveUnknown(unknown);
        }

        Exit();
        return expression;
    }

    private Expression ParseOr()
    {
        Expression left = ParseAnd();
        while (IsName("or"))
        {
            left = new LogicalExpression(Take().Offset, left, ParseAnd(), isAnd: false);
        }

        return left;
    }

    private Expression ParseAnd()
    {
        Expression left = ParseNot();
        while (IsName("and"))
        {
            left = new LogicalExpression(Take().Offset, left, ParseNot(), isAnd: true);
        }

        return left;
    }

    private Expression ParseNot()
    {
        if (!IsName("not"))
        {
            return ParseComparison();
        }

        Enter();
        var not = new NotExpression(Take().Offset, ParseNot());
        Exit();
        return not;
    }

    private Expression ParseComparison()
    {
        int offset = Current.Offset;
        Expression first = ParseSum();
        List<(string, Expression)>? rest = null;
        while (TryTakeComparison() is string comparison)
        {
            (rest ??= []).Add((comparison, ParseSum()));
        }

        return rest is null ? first : new ComparisonExpression(offset, first, [.. rest]);
    }

    private string? TryTakeComparison()
    {
        if (Current.Kind == TokenKind.Operator && Comparisons.Contains(Current.Text))
        {
            return Take().Text;
        }

        if (TrySkipName("in"))
        {
            return "in";
        }

        if (IsName("not") && Next.Is(TokenKind.Name, "in"))
        {
            _index += 2;
            return "not in";
        }

        return null;
    }

    private Expression ParseSum()
    {
        Expression left = ParseConcatenation();
        while (IsOperator("+") || IsOperator("-"))
        {
            Token sign = Take();
            left = new BinaryExpression(sign.Offset, sign.Text, left, ParseConcatenation());
        }

        return left;
    }

    private Expression ParseConcatenation()
    {
        int offset = Current.Offset;
        Expression first = ParseProduct();
        if (!IsOperator("~"))
        {
            return first;
        }

        List<Expression> parts = [first];
        while (TrySkipOperator("~"))
        {
            parts.Add(ParseProduct());
        }

        return new ConcatenationExpression(offset, [.. parts]);
    }

    private Expression ParseProduct()
    {
        Expression left = ParsePower();
        while (IsOperator("*") || IsOperator("/") || IsOperator("//") || IsOperator("%"))
        {
            Token sign = Take();
            left = new BinaryExpression(sign.Offset, sign.Text, left, ParsePower());
        }

        return left;
    }

    /// <summary>Jinja's <c>**</c> binds to the left, unlike Python's.</summary>
    private Expression ParsePower()
    {
        Expression left = ParseUnary();
        while (IsOperator("**"))
        {
            int offset = Take().Offset;
            left = new BinaryExpression(offset, "**", left, ParseUnary());
        }

        return left;
    }

    private Expression ParseUnary(bool withFilters = true)
    {
        Expression operand;
        if (IsOperator("-") || IsOperator("+"))
        {
            Enter();
            Token sign = Take();
            operand = new SignExpression(sign.Offset, sign.Text == "-", ParseUnary(withFilters: false));
            Exit();
        }
        else
        {
            operand = ParsePrimary();
        }

        operand = ParsePostfix(operand);
        return withFilters ? ParseFiltersAndTests(operand) : operand;
    }

    private Expression ParsePrimary()
    {
        Token token = Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                _index++;
                return NameOrConstant(token);
            case TokenKind.String:
                return new ConstantExpression(token.Offset, new MarkedString(ParseStrings(), trusted: true));
            case TokenKind.Integer:
                _index++;
                return new ConstantExpression(token.Offset, ParseInteger(token));
            case TokenKind.Float:
                _index++;
                return new ConstantExpression(
                    token.Offset, double.Parse(token.Text.Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture));
            case TokenKind.Operator when token.Text == "(":
                _index++;
                Expression inner = ParseTuple(inParentheses: true);
                ExpectOperator(")");
                return inner;
            case TokenKind.Operator when token.Text == "[":
                return ParseList();
            case TokenKind.Operator when token.Text == "{":
                return ParseDict();
            default:
                throw Fail($"unexpected {token.Description}");
        }
    }

    private Expression NameOrConstant(Token token)
    {
        switch (token.Text)
        {
            case "true" or "True":
                return new ConstantExpression(token.Offset, true);
            case "false" or "False":
                return new ConstantExpression(token.Offset, false);
            case "none" or "None":
                return new ConstantExpression(token.Offset, NoneValue.Instance);
            default:
                _names.Add(token.Text);
                return new NameExpression(token.Offset, token.Text);
        }
    }

    private string ParseStrings()
    {
        string value = Take().Text;
        while (Current.Kind == TokenKind.String)
        {
            value += Take().Text;
        }

        return value;
    }

    private static BigInteger ParseInteger(Token token) => Numbers.TryParseInt(token.Text, 0, out BigInteger value)
        ? value
        : throw new SyntaxException($"'{token.Text}' is not a number", token.Offset);
}
