using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Rendering.Statements;

/// <summary><c>for</c>: every pass has a scope of its own; <c>else</c> runs where there was nothing to loop over.</summary>
internal sealed class ForNode(int offset, Target target, Expression source, Expression? filter, bool isRecursive, Node[] body, Node[] otherwise)
    : Node(offset)
{
    protected override Flow Run(RenderContext context)
    {
        Loop(source.Evaluate(context), context.Scope, depth: 0, context);
        return Flow.Next;
    }

    private void Loop(object values, Scope scope, int depth, RenderContext context)
    {
        context.Offset = source.Offset;
        object[] items = Select(Iteration.Over(values, context), scope, context);
        if (items.Length == 0)
        {
            context.ExecuteScoped(otherwise, scope);
            return;
        }

        var loop = new LoopValue(items, depth, isRecursive ? next => Recurse(next, scope, depth + 1, context) : null);
        for (loop.Index = 0; loop.Index < items.Length; loop.Index++)
        {
            context.Budget.Charge(1);
            Flow flow = context.ExecuteScoped(body, scope, pass =>
            {
                target.Assign(items[loop.Index], pass, context);
                pass.Set("loop", loop);
            });
            if (flow == Flow.Break)
            {
                break;
            }
        }
    }

    private object[] Select(IEnumerable<object> items, Scope scope, RenderContext context)
    {
        if (filter is null)
        {
            return [.. items];
        }

        List<object> selected = [];
        Scope outer = context.Scope;
        foreach (object item in items)
        {
            context.Scope = new Scope(scope);
            target.Assign(item, context.Scope, context);
            if (Operators.IsTrue(filter.Evaluate(context)))
            {
                selected.Add(item);
            }
        }

        context.Scope = outer;
        return [.. selected];
    }

    private MarkedString Recurse(object values, Scope scope, int depth, RenderContext context)
    {
        context.Budget.Enter();
        MarkedString text = context.CaptureOutput(() => Loop(values, scope, depth, context));
        context.Budget.Exit();
        return text;
    }
}
