using Serving.Text.Templates.Builtins;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Rendering.Expressions;

internal sealed class ConstantExpression(int offset, object value) : Expression(offset)
{
    protected override object Compute(RenderContext context) => value;
}

internal sealed class NameExpression(int offset, string name) : Expression(offset)
{
    protected override object Compute(RenderContext context) =>
        context.Scope.Find(name) ?? Globals.Find(name) ?? UndefinedValue.Variable(name);
}

internal sealed class AttributeExpression(int offset, Expression owner, string name) : Expression(offset)
{
    protected override object Compute(RenderContext context)
    {
        object value = owner.Evaluate(context);
        context.Offset = Offset;
        return Subscript.Attribute(value, name);
    }
}

internal sealed class SubscriptExpression(int offset, Expression owner, Expression key) : Expression(offset)
{
    protected override object Compute(RenderContext context)
    {
        object value = owner.Evaluate(context);
        object at = key.Evaluate(context);
        context.Offset = Offset;
        return Subscript.Item(value, at, context);
    }
}

internal sealed class SliceExpression(int offset, Expression? start, Expression? stop, Expression? step) : Expression(offset)
{
    protected override object Compute(RenderContext context) => new SliceValue(
        start?.Evaluate(context) ?? NoneValue.Instance,
        stop?.Evaluate(context) ?? NoneValue.Instance,
        step?.Evaluate(context) ?? NoneValue.Instance);
}

internal sealed class SequenceExpression(int offset, Expression[] items, bool isTuple) : Expression(offset)
{
    protected override object Compute(RenderContext context)
    {
        object[] values = Array.ConvertAll(items, item => item.Evaluate(context));
        return isTuple ? new TupleValue(values) : new ListValue(values);
    }
}

internal sealed class DictExpression(int offset, (Expression Key, Expression Value)[] entries) : Expression(offset)
{
    protected override object Compute(RenderContext context)
    {
        var dict = new DictValue();
        foreach ((Expression key, Expression value) in entries)
        {
            dict.Set(key.Evaluate(context), value.Evaluate(context));
        }

        return dict;
    }
}
