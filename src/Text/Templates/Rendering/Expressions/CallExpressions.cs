using Serving.Text.Templates.Builtins;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Rendering.Expressions;

internal sealed class CallExpression(int offset, Expression callee, ArgumentList arguments) : Expression(offset)
{
    protected override object Compute(RenderContext context) => Call(context, block: null);

    /// <summary>Calls with the body of a call block as the keyword argument <c>caller</c>.</summary>
    public object Call(RenderContext context, CallableValue? block)
    {
        object target = callee.Evaluate(context);
        Arguments values = arguments.Evaluate(context);
        context.Offset = Offset;
        if (block is not null)
        {
            values = new Arguments(values.Positional, [.. values.Named, new("caller", block)]);
        }

        return target switch
        {
            CallableValue callable => callable.Call(values, context),
            UndefinedValue undefined => throw undefined.Fail(),
            _ => throw new RenderException($"'{TypeNames.Of(target)}' object is not callable"),
        };
    }
}

/// <summary>A filter; without an operand it is the head of a filter block, which gives its body to <see cref="Apply"/>.</summary>
internal sealed class FilterExpression(int offset, string name, FilterFunction? filter, Expression? operand, ArgumentList arguments)
    : Expression(offset)
{
    /// <summary>Applies the whole chain to <paramref name="input"/>, which stands at its left end.</summary>
    public object Apply(object input, RenderContext context) =>
        Invoke(operand is FilterExpression inner ? inner.Apply(input, context) : input, context);

    protected override object Compute(RenderContext context) => Invoke(operand!.Evaluate(context), context);

    private object Invoke(object value, RenderContext context)
    {
        Arguments values = arguments.Evaluate(context);
        context.Offset = Offset;
        return filter is not null ? filter(value, values, context) : throw new RenderException($"No filter named '{name}' found.");
    }
}

internal sealed class TestExpression(int offset, string name, TestFunction? test, Expression operand, ArgumentList arguments) : Expression(offset)
{
    protected override object Compute(RenderContext context)
    {
        object value = operand.Evaluate(context);
        Arguments values = arguments.Evaluate(context);
        context.Offset = Offset;
        return test is not null ? test(value, values, context) : throw new RenderException($"No test named '{name}' found.");
    }
}
