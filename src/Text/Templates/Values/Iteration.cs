using Serving.Text.Templates.Rendering;

namespace Serving.Text.Templates.Values;

/// <summary>Python's iteration over template values, one step of budget an item.</summary>
internal static class Iteration
{
    public static bool IsIterable(object value) =>
        value is MarkedString or SequenceValue or DictValue or DictView or RangeValue or GeneratorValue or UndefinedValue;

    public static IEnumerable<object> Over(object value, RenderContext context) => Charged(Items(value), context.Budget);

    public static object[] ToArray(object value, RenderContext context) => [.. Over(value, context)];

    public static int LengthOf(object value) => value switch
    {
        MarkedString text => text.CodePointCount,
        SequenceValue sequence => sequence.Items.Length,
        DictValue dict => dict.Count,
        DictView view => view.Count,
        RangeValue range => range.Count,
        UndefinedValue => 0,
        _ => throw new RenderException($"object of type '{TypeNames.Of(value)}' has no len()"),
    };

    private static IEnumerable<object> Items(object value) => value switch
    {
        MarkedString text => Characters(text),
        SequenceValue sequence => sequence.Items,
        DictValue dict => dict.Keys,
        DictView view => view.Items(),
        RangeValue range => Enumerable.Range(0, range.Count).Select(index => range[index]),
        GeneratorValue generator => generator.Items(),
        UndefinedValue => [],
        _ => throw new RenderException($"'{TypeNames.Of(value)}' object is not iterable"),
    };

    private static IEnumerable<object> Charged(IEnumerable<object> items, RenderBudget budget)
    {
        foreach (object item in items)
        {
            budget.Charge(1);
            yield return item;
        }
    }

    private static IEnumerable<object> Characters(MarkedString text)
    {
        for (int i = 0; i < text.Length;)
        {
            int length = char.IsHighSurrogate(text.Text[i]) && i + 1 < text.Length ? 2 : 1;
            yield return text.Slice(i, length);
            i += length;
        }
    }
}
