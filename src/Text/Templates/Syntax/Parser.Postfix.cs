using Serving.Text.Templates.Builtins;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Rendering.Expressions;

namespace Serving.Text.Templates.Syntax;

/// <content>What follows an operand: attributes, subscripts, calls, filters and tests.</content>
internal sealed partial class Parser
{
    private Expression ParsePostfix(Expression operand)
    {
        while (true)
        {
            if (IsOperator("."))
            {
                operand = ParseAttribute(operand);
            }
            else if (IsOperator("["))
            {
                operand = ParseSubscript(operand);
            }
            else if (IsOperator("("))
            {
                operand = ParseCall(operand);
            }
            else
            {
                return operand;
            }
        }
    }

    private Expression ParseAttribute(Expression owner)
    {
        int offset = Take().Offset;
        Token name = Take();
        return name.Kind switch
        {
            TokenKind.Name => new AttributeExpression(offset, owner, name.Text),
            TokenKind.Integer => new SubscriptExpression(offset, owner, new ConstantExpression(name.Offset, ParseInteger(name))),
            _ => throw new SyntaxException("expected a name or number after '.'", name.Offset),
        };
    }

    /// <summary>Several keys are a tuple, and so, in Jinja though not in Python, are none.</summary>
    private SubscriptExpression ParseSubscript(Expression owner)
    {
        int offset = Take().Offset;
        List<Expression> keys = [];
        if (!IsOperator("]"))
        {
            do
            {
                keys.Add(ParseKey());
            }
            while (TrySkipOperator(","));
        }

        ExpectOperator("]");
        return new SubscriptExpression(offset, owner, keys.Count == 1 ? keys[0] : new SequenceExpression(offset, [.. keys], isTuple: true));
    }

    private Expression ParseKey()
    {
        int offset = Current.Offset;
        Expression? start = IsOperator(":") ? null : ParseExpression();
        if (start is not null && !IsOperator(":"))
        {
            return start;
        }

        ExpectOperator(":");
        Expression? stop = IsOperator(":") || IsOperator("]") || IsOperator(",") ? null : ParseExpression();
        bool hasStep = TrySkipOperator(":") && !IsOperator("]") && !IsOperator(",");
        return new SliceExpression(offset, start, stop, hasStep ? ParseExpression() : null);
    }

    private CallExpression ParseCall(Expression callee)
    {
        int offset = Current.Offset;
        return new CallExpression(offset, callee, ParseArguments());
    }

    private Expression ParseFiltersAndTests(Expression operand)
    {
        while (true)
        {
            if (TrySkipOperator("|"))
            {
                operand = ParseFilter(operand);
            }
            else if (TrySkipName("is"))
            {
                operand = ParseTest(operand);
            }
            else if (IsOperator("("))
            {
                operand = ParseCall(operand);
            }
            else
            {
                return operand;
            }
        }
    }

    private FilterExpression ParseFilter(Expression? operand)
    {
        int offset = Current.Offset;
        string name = ParseDottedName();
        FilterFunction? filter = Filters.Find(name);
        if (filter is null)
        {
            _unknown.Add(new SyntaxException($"No filter named '{name}'.", offset));
        }

        return new FilterExpression(offset, name, filter, operand, IsOperator("(") ? ParseArguments() : ArgumentList.Empty);
    }

    private Expression ParseTest(Expression operand)
    {
        bool negated = TrySkipName("not");
        int offset = Current.Offset;
        string name = ParseDottedName();
        TestFunction? test = Tests.Find(name);
        if (test is null)
        {
            _unknown.Add(new SyntaxException($"No test named '{name}'.", offset));
        }

        ArgumentList arguments = ArgumentList.Empty;
        if (IsOperator("("))
        {
            arguments = ParseArguments();
        }
        else if (BeginsTestArgument())
        {
            arguments = new ArgumentList([ParsePostfix(ParsePrimary())], [], null, null);
        }

        Expression expression = new TestExpression(offset, name, test, operand, arguments);
        return negated ? new NotExpression(offset, expression) : expression;
    }

    private bool BeginsTestArgument()
    {
        if (IsName("is"))
        {
            throw Fail("You cannot chain multiple tests with is");
        }

        return Current.Kind switch
        {
            TokenKind.Name => !(IsName("else") || IsName("or") || IsName("and")),
            TokenKind.String or TokenKind.Integer or TokenKind.Float => true,
            _ => IsOperator("[") || IsOperator("{"),
        };
    }

    private string ParseDottedName()
    {
        string name = ExpectName();
        while (TrySkipOperator("."))
        {
            name += "." + ExpectName();
        }

        return name;
    }
}
