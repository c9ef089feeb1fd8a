using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary><c>map</c>, <c>select</c> and their kin: lazy, as Jinja's generators are.</summary>
internal static class SelectionFilters
{
    public static object Map(object value, Arguments arguments, RenderContext context)
    {
        if (!Operators.IsTrue(value))
        {
            return new GeneratorValue([]);
        }

        if (arguments.Positional.Length == 0)
        {
            object?[] bound = arguments.Bind("map", 0, "attribute", "default");
            object path = bound[0] ?? throw new RenderException("map requires a filter argument");
            return new GeneratorValue(Iteration.Over(value, context).Select(item => Look(item, path, bound[1], context)));
        }

        string name = Arguments.Text(arguments.Positional[0], "a filter's name").Text;
        FilterFunction filter = Filters.Find(name) ?? throw new RenderException($"No filter named '{name}'.");
        Arguments rest = arguments.Skip(1);
        return new GeneratorValue(Iteration.Over(value, context).Select(item => filter(item, rest, context)));
    }

    public static object Select(object value, Arguments arguments, RenderContext context, bool wanted, bool byAttribute)
    {
        if (!Operators.IsTrue(value))
        {
            return new GeneratorValue([]);
        }

        object? path = null;
        if (byAttribute)
        {
            path = arguments.Positional.FirstOrDefault() ?? throw new RenderException("Missing parameter for attribute name");
            arguments = arguments.Skip(1);
        }

        TestFunction test = static (item, _, _) => Operators.IsTrue(item);
        if (arguments.Positional.Length > 0)
        {
            string name = Arguments.Text(arguments.Positional[0], "a test's name").Text;
            test = Tests.Find(name) ?? throw new RenderException($"No test named '{name}'.");
            arguments = arguments.Skip(1);
        }

        return new GeneratorValue(Iteration.Over(value, context)
            .Where(item => test(path is null ? item : Subscript.Path(item, path, context), arguments, context) == wanted));
    }

    private static object Look(object item, object path, object? otherwise, RenderContext context)
    {
        object found = Subscript.Path(item, path, context);
        return found is UndefinedValue && otherwise is not (null or NoneValue) ? otherwise : found;
    }
}
