using Serving.Text.Templates.Rendering.Expressions;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Rendering.Statements;

/// <summary>Text of the template itself: trusted.</summary>
internal sealed class TextNode(int offset, string text) : Node(offset)
{
    protected override Flow Run(RenderContext context)
    {
        context.Output.Append(text, trusted: true);
        return Flow.Next;
    }
}

internal sealed class OutputNode(int offset, Expression expression) : Node(offset)
{
    protected override Flow Run(RenderContext context)
    {
        MarkedString text = PythonText.Str(expression.Evaluate(context), context);
        context.Offset = Offset;
        context.Output.Append(text);
        return Flow.Next;
    }
}

internal sealed class IfNode(int offset, (Expression Condition, Node[] Body)[] branches, Node[] otherwise) : Node(offset)
{
    protected override Flow Run(RenderContext context)
    {
        foreach ((Expression condition, Node[] body) in branches)
        {
            if (Operators.IsTrue(condition.Evaluate(context)))
            {
                return context.Execute(body);
            }
        }

        return context.Execute(otherwise);
    }
}

/// <summary><c>break</c> or <c>continue</c>.</summary>
internal sealed class LoopControlNode(int offset, Flow flow) : Node(offset)
{
    protected override Flow Run(RenderContext context) => flow;
}

internal sealed class SetNode(int offset, Target target, Expression value) : Node(offset)
{
    protected override Flow Run(RenderContext context)
    {
        target.Assign(value.Evaluate(context), context.Scope, context);
        return Flow.Next;
    }
}

/// <summary><c>{% set x %}…{% endset %}</c>, through filters if there are any.</summary>
internal sealed class SetBlockNode(int offset, Target target, FilterExpression? filters, Node[] body) : Node(offset)
{
    protected override Flow Run(RenderContext context)
    {
        MarkedString text = context.Capture(body, context.Scope);
        target.Assign(filters is null ? text : filters.Apply(text, context), context.Scope, context);
        return Flow.Next;
    }
}

internal sealed class FilterBlockNode(int offset, FilterExpression filters, Node[] body) : Node(offset)
{
    protected override Flow Run(RenderContext context)
    {
        MarkedString text = context.Capture(body, context.Scope);
        context.Output.Append(PythonText.Str(filters.Apply(text, context), context));
        return Flow.Next;
    }
}

/// <summary><c>with</c>: the values are computed outside, the names exist inside. Without names it is <c>generation</c>'s scope.</summary>
internal sealed class WithNode(int offset, (Target Target, Expression Value)[] assignments, Node[] body) : Node(offset)
{
    protected override Flow Run(RenderContext context)
    {
        object[] values = Array.ConvertAll(assignments, assignment => assignment.Value.Evaluate(context));
        return context.ExecuteScoped(body, context.Scope, scope =>
        {
            for (int i = 0; i < values.Length; i++)
            {
                assignments[i].Target.Assign(values[i], scope, context);
            }
        });
    }
}
