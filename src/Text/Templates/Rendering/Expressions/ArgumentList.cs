using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Rendering.Expressions;

/// <summary>The arguments of a call as written, <c>*</c> and <c>**</c> included.</summary>
internal sealed class ArgumentList(
    Expression[] positional, (string Name, Expression Value)[] named, Expression? spreadPositional, Expression? spreadNamed)
{
    public static readonly ArgumentList Empty = new([], [], null, null);

    public Arguments Evaluate(RenderContext context)
    {
        if (ReferenceEquals(this, Empty))
        {
            return Arguments.None;
        }

        List<object> values = new(positional.Length);
        foreach (Expression expression in positional)
        {
            values.Add(expression.Evaluate(context));
        }

        if (spreadPositional is not null)
        {
            values.AddRange(Iteration.Over(spreadPositional.Evaluate(context), context));
        }

        List<KeyValuePair<string, object>> pairs = new(named.Length);
        foreach ((string name, Expression value) in named)
        {
            pairs.Add(new(name, value.Evaluate(context)));
        }

        if (spreadNamed is not null)
        {
            AddSpread(spreadNamed.Evaluate(context), pairs, context);
        }

        return new Arguments([.. values], [.. pairs]);
    }

    private static void AddSpread(object value, List<KeyValuePair<string, object>> pairs, RenderContext context)
    {
        if (value is not DictValue dict)
        {
            throw new RenderException($"argument after ** must be a mapping, not {TypeNames.Of(value)}");
        }

        foreach ((object key, object item) in dict.Entries)
        {
            context.Budget.Charge(1);
            pairs.Add(new(Arguments.Text(key, "keywords").Text, item));
        }
    }
}
