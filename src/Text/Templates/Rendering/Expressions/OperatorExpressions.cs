using System.Diagnostics;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Rendering.Expressions;

internal sealed class BinaryExpression(int offset, string sign, Expression left, Expression right) : Expression(offset)
{
    protected override object Compute(RenderContext context)
    {
        object a = left.Evaluate(context);
        object b = right.Evaluate(context);
        context.Offset = Offset;
        return sign switch
        {
            "+" => Operators.Add(a, b, context),
            "-" => Operators.Subtract(a, b),
            "*" => Operators.Multiply(a, b, context),
            "/" => Operators.Divide(a, b),
            "//" => Operators.FloorDivide(a, b),
            "%" => Operators.Modulo(a, b, context),
            "**" => Operators.Power(a, b),
            _ => throw new UnreachableException(sign),
        };
    }
}

internal sealed class SignExpression(int offset, bool isMinus, Expression operand) : Expression(offset)
{
    protected override object Compute(RenderContext context)
    {
        object value = operand.Evaluate(context);
        context.Offset = Offset;
        return isMinus ? Operators.Negate(value) : Operators.Plus(value);
    }
}

/// <summary><c>a ~ b</c>: both as text, one after the other.</summary>
internal sealed class ConcatenationExpression(int offset, Expression[] parts) : Expression(offset)
{
    protected override object Compute(RenderContext context)
    {
        MarkedTextBuilder builder = context.NewBuilder();
        foreach (Expression part in parts)
        {
            builder.Append(PythonText.Str(part.Evaluate(context), context));
        }

        return builder.ToMarkedString();
    }
}

/// <summary><c>and</c> and <c>or</c>: the value of the operand that decides, not a bool.</summary>
internal sealed class LogicalExpression(int offset, Expression left, Expression right, bool isAnd) : Expression(offset)
{
    protected override object Compute(RenderContext context)
    {
        object value = left.Evaluate(context);
        return Operators.IsTrue(value) == isAnd ? right.Evaluate(context) : value;
    }
}

internal sealed class NotExpression(int offset, Expression operand) : Expression(offset)
{
    protected override object Compute(RenderContext context) => !Operators.IsTrue(operand.Evaluate(context));
}

/// <summary>A chain: <c>a &lt; b &lt; c</c> is true if each pair is, and stops at the first that is not.</summary>
internal sealed class ComparisonExpression(int offset, Expression first, (string Sign, Expression Operand)[] rest) : Expression(offset)
{
    protected override object Compute(RenderContext context)
    {
        object left = first.Evaluate(context);
        foreach ((string sign, Expression operand) in rest)
        {
            object right = operand.Evaluate(context);
            context.Offset = Offset;
            if (!Compare(sign, left, right, context))
            {
                return false;
            }

            left = right;
        }

        return true;
    }

    public static bool Compare(string sign, object left, object right, RenderContext context) => sign switch
    {
        "==" => Operators.AreEqual(left, right, context.Budget),
        "!=" => !Operators.AreEqual(left, right, context.Budget),
        "<" => Operators.Order(left, right, sign, context.Budget) < 0,
        "<=" => Operators.Order(left, right, sign, context.Budget) <= 0,
        ">" => Operators.Order(left, right, sign, context.Budget) > 0,
        ">=" => Operators.Order(left, right, sign, context.Budget) >= 0,
        "in" => Operators.Contains(right, left, context),
        "not in" => !Operators.Contains(right, left, context),
        _ => throw new UnreachableException(sign),
    };
}

internal sealed class ConditionalExpression(int offset, Expression condition, Expression then, Expression? otherwise) : Expression(offset)
{
    private static readonly UndefinedValue Missing =
        new("the inline if-expression evaluated to false and no else section was defined.");

    protected override object Compute(RenderContext context) =>
        Operators.IsTrue(condition.Evaluate(context)) ? then.Evaluate(context) : otherwise?.Evaluate(context) ?? Missing;
}
