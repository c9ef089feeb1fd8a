using System.Runtime.ExceptionServices;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>A stable sort by Python's <c>&lt;</c>.</summary>
internal static class Sorting
{
    public static T[] Sorted<T>(T[] items, Func<T, object> keyOf, bool reverse, RenderBudget budget)
    {
        if (items.Length < 2)
        {
            return items;
        }

        var order = Comparer<object>.Create((a, b) => Operators.Order(a, b, "<", budget) ?? 0);
        try
        {
            return [.. reverse ? items.OrderByDescending(keyOf, order) : items.OrderBy(keyOf, order)];
        }
        catch (InvalidOperationException exception) when (exception.InnerException is RenderException cause)
        {
            // The sort wraps what a comparison throws.
            ExceptionDispatchInfo.Throw(cause);
            throw;
        }
    }
}
