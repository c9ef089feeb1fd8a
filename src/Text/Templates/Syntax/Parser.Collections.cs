using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Rendering.Expressions;

namespace Serving.Text.Templates.Syntax;

/// <content>Tuples, lists, dicts and argument lists.</content>
internal sealed partial class Parser
{
    /// <summary>One expression, or several with commas between them. Parentheses around it are the caller's.</summary>
    private Expression ParseTuple(bool withCondition = true, bool inParentheses = false)
    {
        int offset = Current.Offset;
        List<Expression> items = [];
        bool isTuple = false;
        while (!EndsTuple(afterComma: isTuple))
        {
            items.Add(ParseExpression(withCondition));
            if (!TrySkipOperator(","))
            {
                break;
            }

            isTuple = true;
        }

        if (!isTuple && items.Count == 1)
        {
            return items[0];
        }

        return items.Count > 0 || inParentheses
            ? new SequenceExpression(offset, [.. items], isTuple: true)
            : throw Fail($"Expected an expression, got {Current.Description}");
    }

    private bool EndsTuple(bool afterComma) =>
        Current.Kind is TokenKind.VariableEnd or TokenKind.BlockEnd || IsOperator(")") || (afterComma && IsName("recursive"));

    private SequenceExpression ParseList()
    {
        int offset = Take().Offset;
        return new SequenceExpression(offset, [.. ParseItems("]", () => ParseExpression())], isTuple: false);
    }

    private DictExpression ParseDict()
    {
        int offset = Take().Offset;
        return new DictExpression(offset, [.. ParseItems("}", () =>
        {
            Expression key = ParseExpression();
            ExpectOperator(":");
            return (key, ParseExpression());
        })]);
    }

    private List<T> ParseItems<T>(string end, Func<T> parseItem)
    {
        List<T> items = [];
        while (!TrySkipOperator(end))
        {
            if (items.Count > 0)
            {
                ExpectOperator(",");
                if (TrySkipOperator(end))
                {
                    break;
                }
            }

            items.Add(parseItem());
        }

        return items;
    }

    private ArgumentList ParseArguments()
    {
        ExpectOperator("(");
        List<Expression> positional = [];
        List<(string, Expression)> named = [];
        Expression? spreadPositional = null;
        Expression? spreadNamed = null;
        ParseItems(")", () =>
        {
            if (spreadPositional is null && spreadNamed is null && TrySkipOperator("*"))
            {
                spreadPositional = ParseExpression();
            }
            else if (spreadNamed is null && TrySkipOperator("**"))
            {
                spreadNamed = ParseExpression();
            }
            else if (spreadNamed is null && Current.Kind == TokenKind.Name && Next.Is(TokenKind.Operator, "="))
            {
                string name = Take().Text;
                _index++;
                named.Add((name, ParseExpression()));
            }
            else if (spreadPositional is null && spreadNamed is null && named.Count == 0)
            {
                positional.Add(ParseExpression());
            }
            else
            {
                throw Fail("invalid syntax for function call expression");
            }

            return true;
        });
        return new ArgumentList([.. positional], [.. named], spreadPositional, spreadNamed);
    }
}
