using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Rendering.Statements;

/// <summary>What stands left of an assignment.</summary>
internal abstract class Target
{
    public abstract void Assign(object value, Scope scope, RenderContext context);
}

internal sealed class NameTarget(string name) : Target
{
    public override void Assign(object value, Scope scope, RenderContext context) => scope.Set(name, value);
}

/// <summary><c>ns.name</c>, the only thing a template may change.</summary>
internal sealed class NamespaceTarget(string owner, string name) : Target
{
    public override void Assign(object value, Scope scope, RenderContext context)
    {
        if (scope.Find(owner) is not NamespaceValue found)
        {
            throw new RenderException("cannot assign attribute on non-namespace object");
        }

        found.Set(name, value);
    }
}

internal sealed class TupleTarget(Target[] items) : Target
{
    public override void Assign(object value, Scope scope, RenderContext context)
    {
        if (!Iteration.IsIterable(value))
        {
            throw new RenderException($"cannot unpack non-iterable {TypeNames.Of(value)} object");
        }

        object[] values = Iteration.ToArray(value, context);
        if (values.Length > items.Length)
        {
            throw new RenderException($"too many values to unpack (expected {items.Length})");
        }

        if (values.Length < items.Length)
        {
            throw new RenderException($"not enough values to unpack (expected {items.Length}, got {values.Length})");
        }

        for (int i = 0; i < items.Length; i++)
        {
            items[i].Assign(values[i], scope, context);
        }
    }
}
