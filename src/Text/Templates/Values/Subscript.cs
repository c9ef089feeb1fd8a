using System.Globalization;
using System.Numerics;
using Serving.Text.Templates.Builtins;
using Serving.Text.Templates.Rendering;

namespace Serving.Text.Templates.Values;

/// <summary>Jinja's two ways into a value: <c>a.b</c> looks for an attribute first, <c>a[b]</c> for an item first.</summary>
internal static class Subscript
{
    public static object Attribute(object owner, string name)
    {
        if (owner is UndefinedValue undefined)
        {
            throw undefined.Fail();
        }

        return FindAttribute(owner, name) ?? (owner as DictValue)?.Find(name) ?? UndefinedValue.Attribute(owner, name);
    }

    public static object Item(object owner, object key, RenderContext context)
    {
        if (owner is UndefinedValue undefined)
        {
            throw undefined.Fail();
        }

        if (key is SliceValue slice && owner is MarkedString or SequenceValue or RangeValue)
        {
            return Slicing.Slice(owner, slice, context);
        }

        if (FindItem(owner, key, context) is object item)
        {
            return item;
        }

        if (key is MarkedString name)
        {
            return FindAttribute(owner, name.Text) ?? UndefinedValue.Attribute(owner, name.Text);
        }

        return UndefinedValue.Element(owner, key is SliceValue ? "slice" : PythonText.Repr(key, context).Text);
    }

    /// <summary>An attribute and never an item: a method, or what a value of the engine's own offers.</summary>
    public static object? FindAttribute(object owner, string name)
    {
        if (name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal))
        {
            return owner is DictValue dict && dict.Find(name) is not null ? null : UndefinedValue.Unsafe(owner, name);
        }

        return (owner as IAttributes)?.FindAttribute(name) ?? Methods.Find(owner, name);
    }

    /// <summary>A path like <c>function.name</c> or <c>items.0</c>, as filters take it for <c>attribute=</c>.</summary>
    public static object Path(object owner, object path, RenderContext context)
    {
        if (path is not MarkedString text)
        {
            return path is NoneValue ? owner : Item(owner, path, context);
        }

        foreach (string part in text.Text.Split('.'))
        {
            object key = part.Length > 0 && part.All(char.IsAsciiDigit)
                ? BigInteger.Parse(part, CultureInfo.InvariantCulture)
                : new MarkedString(part, trusted: false);
            owner = Item(owner, key, context);
        }

        return owner;
    }

    private static object? FindItem(object owner, object key, RenderContext context)
    {
        switch (owner)
        {
            case DictValue dict:
                return dict.Find(key);
            case MarkedString or SequenceValue or RangeValue when key is BigInteger or bool:
                int count = Iteration.LengthOf(owner);
                BigInteger index = Numbers.ToInt(key);
                index = index.Sign < 0 ? index + count : index;
                return index.Sign < 0 || index >= count ? null : At(owner, (int)index, context);
            default:
                return null;
        }
    }

    private static object At(object owner, int index, RenderContext context)
    {
        switch (owner)
        {
            case SequenceValue sequence:
                return sequence.Items[index];
            case RangeValue range:
                return range[index];
            default:
                var text = (MarkedString)owner;
                context.Budget.ChargeScan(text.CodePointCount == text.Length ? 0 : text.Length);
                int offset = text.OffsetOf(index);
                return text.Slice(offset, char.IsHighSurrogate(text.Text[offset]) && offset + 1 < text.Length ? 2 : 1);
        }
    }
}
