using System.Numerics;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>Filters on sequences.</summary>
internal static class ListFilters
{
    public static object First(object value, RenderContext context) =>
        Iteration.Over(value, context).FirstOrDefault() ?? new UndefinedValue("No first item, sequence was empty.");

    public static object Last(object value, RenderContext context)
    {
        object[] items = Iteration.ToArray(Reversible(value), context);
        return items.Length > 0 ? items[^1] : new UndefinedValue("No last item, sequence was empty.");
    }

    public static object Join(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("join", 0, "d", "attribute");
        MarkedString separator = bound[0] is null ? MarkedString.Empty : PythonText.Str(bound[0]!, context);
        MarkedTextBuilder builder = context.NewBuilder();
        bool first = true;
        foreach (object item in Iteration.Over(value, context))
        {
            object part = bound[1] is null ? item : Subscript.Path(item, bound[1]!, context);
            builder.Append(first ? MarkedString.Empty : separator).Append(PythonText.Str(part, context));
            first = false;
        }

        return builder.ToMarkedString();
    }

    public static object Reverse(object value, RenderContext context)
    {
        object[] items = Iteration.ToArray(value, context);
        Array.Reverse(items);
        if (value is not MarkedString)
        {
            return new GeneratorValue(items);
        }

        return StringEditing.Join(MarkedString.Empty, new ListValue(items), context);
    }

    public static object Items(object value, RenderContext context) => value switch
    {
        DictValue dict => new GeneratorValue(new DictView(dict, DictViewKind.Items).Items()),
        UndefinedValue => new GeneratorValue([]),
        _ => throw new RenderException("Can only get item pairs from a mapping."),
    };

    /// <summary>Rows of so many items; the last may be filled up.</summary>
    public static object Batch(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("batch", 1, "linecount", "fill_with");
        int size = Math.Max(1, Arguments.Int(bound[0], 1));
        return new GeneratorValue(Iteration.Over(value, context).Chunk(size).Select(row =>
        {
            if (bound[1] is not (null or NoneValue) && row.Length < size)
            {
                context.Budget.Charge(size - row.Length);
                row = [.. row, .. Enumerable.Repeat(bound[1]!, size - row.Length)];
            }

            return (object)new ListValue(row);
        }));
    }

    /// <summary>So many columns of items; the shorter ones may be filled up.</summary>
    public static object Slice(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("slice", 1, "slices", "fill_with");
        object[] items = Iteration.ToArray(value, context);
        int count = Arguments.Int(bound[0], 1);
        if (count == 0)
        {
            throw new RenderException("integer division or modulo by zero");
        }

        context.Budget.Charge(Math.Max(count, 0));
        var columns = new List<object>();
        int start = 0;
        for (int i = 0; i < count; i++)
        {
            int size = (items.Length / count) + (i < items.Length % count ? 1 : 0);
            object[] column = items[start..(start + size)];
            bool isShort = items.Length % count > 0 && i >= items.Length % count;
            columns.Add(new ListValue(bound[1] is not (null or NoneValue) && (isShort || items.Length % count == 0) ? [.. column, bound[1]!] : column));
            start += size;
        }

        return new GeneratorValue(columns);
    }

    private static object Reversible(object value) => value is GeneratorValue
        ? throw new RenderException("'generator' object is not reversible")
        : value;
}
