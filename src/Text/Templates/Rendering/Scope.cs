namespace Serving.Text.Templates.Rendering;

/// <summary>
/// Variables of one block. A loop's pass, a macro, a call, a filter block, a block set and <c>with</c> have a scope each; <c>if</c> has
/// none. Setting writes to the innermost scope only, so nothing leaks outwards.
/// </summary>
internal sealed class Scope(Scope? parent)
{
    private Dictionary<string, object>? _variables;

    public object? Find(string name)
    {
        for (Scope? scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope._variables is not null && scope._variables.TryGetValue(name, out object? value))
            {
                return value;
            }
        }

        return null;
    }

    public void Set(string name, object value) => (_variables ??= new Dictionary<string, object>(StringComparer.Ordinal))[name] = value;

    private Scope? Parent => parent;
}
