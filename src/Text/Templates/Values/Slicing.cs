using System.Numerics;
using Serving.Text.Templates.Rendering;

namespace Serving.Text.Templates.Values;

/// <summary>Python's <c>[start:stop:step]</c> on strings, lists, tuples and ranges.</summary>
internal static class Slicing
{
    public static object Slice(object owner, SliceValue slice, RenderContext context)
    {
        int length = Iteration.LengthOf(owner);
        int step = slice.Step is NoneValue ? 1 : Index(slice.Step);
        if (step == 0)
        {
            throw new RenderException("slice step cannot be zero");
        }

        int first = Bound(slice.Start, length, step, step > 0 ? 0 : length - 1);
        int end = Bound(slice.Stop, length, step, step > 0 ? length : -1);
        long span = step > 0 ? (long)end - first : (long)first - end;
        int count = span <= 0 ? 0 : (int)((span + Math.Abs((long)step) - 1) / Math.Abs((long)step));
        context.Budget.Charge(1 + (count / 4));
        switch (owner)
        {
            case MarkedString text:
                return SliceText(text, first, step, count, context);
            case RangeValue range:
                BigInteger start = range.Start + (first * range.Step);
                return new RangeValue(start, start + (count * step * range.Step), step * range.Step);
            default:
                object[] items = ((SequenceValue)owner).Items;
                var part = new object[count];
                for (int i = 0; i < count; i++)
                {
                    part[i] = items[first + (i * step)];
                }

                return owner is ListValue ? new ListValue(part) : new TupleValue(part);
        }
    }

    private static MarkedString SliceText(MarkedString text, int first, int step, int count, RenderContext context)
    {
        if (count == 0)
        {
            return MarkedString.Empty;
        }

        context.Budget.ChargeScan(text.CodePointCount == text.Length ? count : text.Length);
        if (step == 1)
        {
            int start = text.OffsetOf(first);
            return text.Slice(start, text.OffsetOf(first + count) - start);
        }

        object[] characters = Iteration.ToArray(text, context);
        MarkedTextBuilder builder = context.NewBuilder();
        for (int i = 0; i < count; i++)
        {
            builder.Append((MarkedString)characters[first + (i * step)]);
        }

        return builder.ToMarkedString();
    }

    private static int Bound(object value, int length, int step, int otherwise)
    {
        if (value is NoneValue)
        {
            return otherwise;
        }

        int index = Index(value);
        index = index < 0 ? index + length : index;
        return step > 0 ? Math.Clamp(index, 0, length) : Math.Clamp(index, -1, length - 1);
    }

    private static int Index(object value) => value is BigInteger or bool
        ? Numbers.ToIndex(value)
        : throw new RenderException("slice indices must be integers or None or have an __index__ method");
}
