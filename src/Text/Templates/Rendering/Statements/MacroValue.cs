using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Rendering.Statements;

/// <summary>A macro and the scope it was defined in, which its body sees as it is at the time of the call.</summary>
internal sealed class MacroValue(MacroDefinition definition, Scope definedIn) : CallableValue(definition.Name), IAttributes
{
    public object? FindAttribute(string name) => name switch
    {
        "name" => new MarkedString(definition.Name, trusted: true),
        "arguments" => new TupleValue(Array.ConvertAll<string, object>(definition.Parameters, static p => new MarkedString(p, trusted: true))),
        "catch_kwargs" => definition.Reads.Contains("kwargs"),
        "catch_varargs" => definition.Reads.Contains("varargs"),
        "caller" => definition.Reads.Contains("caller"),
        _ => null,
    };

    public override object Call(Arguments arguments, RenderContext context)
    {
        context.Budget.Enter();
        Scope outer = context.Scope;
        var scope = new Scope(definedIn);
        context.Scope = scope;
        BindParameters(arguments, scope, context);
        MarkedString text = context.CaptureOutput(() => context.Execute(definition.Body));
        context.Scope = outer;
        context.Budget.Exit();
        return text;
    }

    private void BindParameters(Arguments arguments, Scope scope, RenderContext context)
    {
        string[] parameters = definition.Parameters;
        Dictionary<string, object> named = new(arguments.Named, StringComparer.Ordinal);
        int firstDefault = parameters.Length - definition.Defaults.Length;
        for (int i = 0; i < parameters.Length; i++)
        {
            object value = i < arguments.Positional.Length ? arguments.Positional[i]
                : named.Remove(parameters[i], out object? given) ? given
                : i >= firstDefault ? definition.Defaults[i - firstDefault].Evaluate(context)
                : new UndefinedValue($"parameter '{parameters[i]}' was not provided");
            scope.Set(parameters[i], value);
        }

        if (definition.Reads.Contains("caller") && !parameters.Contains("caller"))
        {
            scope.Set("caller", named.Remove("caller", out object? caller) ? caller : new UndefinedValue("No caller defined"));
        }

        BindRest(arguments, named, scope);
    }

    private void BindRest(Arguments arguments, Dictionary<string, object> named, Scope scope)
    {
        int taken = Math.Min(definition.Parameters.Length, arguments.Positional.Length);
        if (definition.Reads.Contains("varargs"))
        {
            scope.Set("varargs", new TupleValue(arguments.Positional[taken..]));
        }
        else if (arguments.Positional.Length > taken)
        {
            throw new RenderException($"macro '{Name}' takes not more than {definition.Parameters.Length} argument(s)");
        }

        if (definition.Reads.Contains("kwargs"))
        {
            var rest = new DictValue();
            foreach ((string name, object value) in named)
            {
                rest.Set(new MarkedString(name, trusted: true), value);
            }

            scope.Set("kwargs", rest);
        }
        else if (named.Count > 0)
        {
            throw new RenderException($"macro '{Name}' takes no keyword argument '{named.Keys.First()}'");
        }
    }
}
