using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>Filters that compare items: sorting is stable, and strings compare without regard to case unless asked otherwise.</summary>
internal static class OrderingFilters
{
    public static object Sort(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("sort", 0, "reverse", "case_sensitive", "attribute");
        bool ignoresCase = !Arguments.Flag(bound[1]);
        object[] paths = bound[2] is MarkedString many
            ? [.. many.Text.Split(',').Select(static path => new MarkedString(path, trusted: false))]
            : [bound[2] ?? NoneValue.Instance];
        return new ListValue(Sorted(
            Iteration.ToArray(value, context),
            item => new ListValue(Array.ConvertAll(paths, path => Key(item, path, ignoresCase, context))),
            Arguments.Flag(bound[0]),
            context));
    }

    public static object DictSort(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("dictsort", 0, "case_sensitive", "by", "reverse");
        string by = bound[1] is null ? "key" : Arguments.Text(bound[1]!, "dictsort() by").Text;
        if (by is not ("key" or "value"))
        {
            throw new RenderException("You can only sort by either \"key\" or \"value\"");
        }

        if (value is not DictValue dict)
        {
            throw value is UndefinedValue undefined ? undefined.Fail() : new RenderException($"'{TypeNames.OfObject(value)}' has no attribute 'items'");
        }

        int position = by == "key" ? 0 : 1;
        bool ignoresCase = !Arguments.Flag(bound[0]);
        return new ListValue(Sorted(
            Iteration.ToArray(new DictView(dict, DictViewKind.Items), context),
            item => Fold(((TupleValue)item).Items[position], ignoresCase, context),
            Arguments.Flag(bound[2]),
            context));
    }

    public static object Unique(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("unique", 0, "case_sensitive", "attribute");
        bool ignoresCase = !Arguments.Flag(bound[0]);
        return new GeneratorValue(UniqueItems(Iteration.Over(value, context), item => Key(item, bound[1] ?? NoneValue.Instance, ignoresCase, context)));
    }

    public static object GroupBy(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("groupby", 1, "attribute", "default", "case_sensitive");
        bool ignoresCase = !Arguments.Flag(bound[2]);
        object KeyOf(object item, bool folds)
        {
            object key = Subscript.Path(item, bound[0]!, context);
            return Fold(key is UndefinedValue && bound[1] is not (null or NoneValue) ? bound[1]! : key, folds, context);
        }

        var groups = new List<(object Key, object Grouper, List<object> Items)>();
        foreach (object item in Sorted(Iteration.ToArray(value, context), item => KeyOf(item, ignoresCase), reverse: false, context))
        {
            object key = KeyOf(item, ignoresCase);
            if (groups.Count == 0 || !Operators.AreEqual(groups[^1].Key, key, context.Budget))
            {
                groups.Add((key, KeyOf(item, folds: false), []));
            }

            groups[^1].Items.Add(item);
        }

        return new ListValue([.. groups.Select(static group => new GroupValue(group.Grouper, new ListValue([.. group.Items])))]);
    }

    /// <summary>The first of the largest (sign 1) or smallest (sign −1) items.</summary>
    public static object Extreme(object value, Arguments arguments, RenderContext context, int sign)
    {
        object?[] bound = arguments.Bind(sign > 0 ? "max" : "min", 0, "case_sensitive", "attribute");
        bool ignoresCase = !Arguments.Flag(bound[0]);
        object? best = null;
        object? bestKey = null;
        foreach (object item in Iteration.Over(value, context))
        {
            object key = Key(item, bound[1] ?? NoneValue.Instance, ignoresCase, context);
            if (best is null || Operators.Order(key, bestKey!, sign > 0 ? ">" : "<", context.Budget) * sign > 0)
            {
                (best, bestKey) = (item, key);
            }
        }

        return best ?? new UndefinedValue("No aggregated item, sequence was empty.");
    }

    private static object[] Sorted(object[] items, Func<object, object> keyOf, bool reverse, RenderContext context)
    {
        (object Key, object Item)[] keyed = Array.ConvertAll(items, item => (keyOf(item), item));
        return Array.ConvertAll(Sorting.Sorted(keyed, static pair => pair.Key, reverse, context.Budget), static pair => pair.Item);
    }

    private static object Key(object item, object path, bool ignoresCase, RenderContext context) =>
        Fold(Subscript.Path(item, path, context), ignoresCase, context);

    private static object Fold(object value, bool ignoresCase, RenderContext context) =>
        ignoresCase && value is MarkedString text ? LetterCase.Lower(text, context) : value;

    private static IEnumerable<object> UniqueItems(IEnumerable<object> items, Func<object, object> keyOf)
    {
        var seen = new DictValue();
        foreach (object item in items)
        {
            object key = keyOf(item);
            if (seen.Find(key) is null)
            {
                seen.Set(key, NoneValue.Instance);
                yield return item;
            }
        }
    }
}
