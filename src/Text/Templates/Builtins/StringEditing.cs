using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>Stripping, replacing, joining and padding, with marks kept.</summary>
internal static class StringEditing
{
    public static MarkedString Strip(MarkedString text, object? characters, bool left, bool right)
    {
        string? set = characters is null or NoneValue ? null : Arguments.Text(characters, "strip arg").Text;
        int start = 0;
        int end = text.Length;
        while (left && start < end && IsStripped(text.Text[start], set))
        {
            start++;
        }

        while (right && end > start && IsStripped(text.Text[end - 1], set))
        {
            end--;
        }

        return text.Slice(start, end - start);
    }

    public static MarkedString RemovePrefix(MarkedString text, object prefix)
    {
        string removed = Arguments.Text(prefix, "removeprefix() argument").Text;
        return text.Text.StartsWith(removed, StringComparison.Ordinal) ? text.Slice(removed.Length, text.Length - removed.Length) : text;
    }

    public static MarkedString RemoveSuffix(MarkedString text, object suffix)
    {
        string removed = Arguments.Text(suffix, "removesuffix() argument").Text;
        return text.Text.EndsWith(removed, StringComparison.Ordinal) ? text.Slice(0, text.Length - removed.Length) : text;
    }

    /// <summary>Replaces up to <paramref name="count"/> occurrences, all where it is negative.</summary>
    public static MarkedString Replace(MarkedString text, MarkedString old, MarkedString by, int count, RenderContext context)
    {
        context.Budget.ChargeScan(text.Length);
        MarkedTextBuilder builder = context.NewBuilder();
        if (old.Length == 0)
        {
            return ReplaceGaps(text, by, count, context);
        }

        int from = 0;
        int at;
        while (count != 0 && (at = text.Text.IndexOf(old.Text, from, StringComparison.Ordinal)) >= 0)
        {
            builder.Append(text, from, at - from).Append(by);
            from = at + old.Length;
            count--;
        }

        return from == 0 && count != 0 ? text : builder.Append(text, from, text.Length - from).ToMarkedString();
    }

    public static MarkedString Join(MarkedString separator, object items, RenderContext context)
    {
        MarkedTextBuilder builder = context.NewBuilder();
        int index = 0;
        foreach (object item in Iteration.Over(items, context))
        {
            if (item is not MarkedString part)
            {
                throw new RenderException($"sequence item {index}: expected str instance, {TypeNames.Of(item)} found");
            }

            builder.Append(index++ > 0 ? separator : MarkedString.Empty).Append(part);
        }

        return builder.ToMarkedString();
    }

    public static MarkedString Pad(MarkedString text, object?[] bound, char alignment, RenderContext context)
    {
        MarkedString fill = bound[1] is null ? new MarkedString(" ", trusted: false) : Arguments.Text(bound[1]!, "the fill character");
        if (fill.CodePointCount != 1)
        {
            throw new RenderException("The fill character must be exactly one character long");
        }

        int width = Arguments.Int(bound[0], 0);
        int missing = Math.Max(0, width - text.CodePointCount);

        // Python's rule for an odd rest: the extra one goes left if the width is odd too.
        int left = alignment switch
        {
            '<' => 0,
            '>' => missing,
            _ => (missing / 2) + (missing & width & 1),
        };
        MarkedTextBuilder builder = Repeat(context.NewBuilder(), fill, left, context).Append(text);
        return Repeat(builder, fill, missing - left, context).ToMarkedString();
    }

    public static MarkedString ZeroFill(MarkedString text, int width, RenderContext context)
    {
        int sign = text.Text is ['+' or '-', ..] ? 1 : 0;
        return context.NewBuilder()
            .Append(text, 0, sign)
            .AppendRepeated('0', width - text.CodePointCount, trusted: false)
            .Append(text, sign, text.Length - sign)
            .ToMarkedString();
    }

    public static MarkedString ExpandTabs(MarkedString text, int size, RenderContext context)
    {
        MarkedTextBuilder builder = context.NewBuilder();
        int column = 0;
        for (int i = 0; i < text.Length; i++)
        {
            char character = text.Text[i];
            if (character == '\t')
            {
                int blanks = size > 0 ? size - (column % size) : 0;
                builder.AppendRepeated(' ', blanks, trusted: false);
                column += blanks;
                continue;
            }

            builder.Append(text, i, 1);
            column = character is '\n' or '\r' ? 0 : column + (char.IsLowSurrogate(character) ? 0 : 1);
        }

        return builder.ToMarkedString();
    }

    private static MarkedTextBuilder Repeat(MarkedTextBuilder builder, MarkedString part, int count, RenderContext context)
    {
        context.Budget.Charge(count);
        for (int i = 0; i < count; i++)
        {
            builder.Append(part);
        }

        return builder;
    }

    private static bool IsStripped(char character, string? set) =>
        set is null ? PythonText.IsSpace(character) : set.Contains(character, StringComparison.Ordinal);

    /// <summary>An empty pattern matches before every character and at the end.</summary>
    private static MarkedString ReplaceGaps(MarkedString text, MarkedString by, int count, RenderContext context)
    {
        MarkedTextBuilder builder = context.NewBuilder();
        foreach (object character in Iteration.Over(text, context))
        {
            builder.Append(count != 0 ? by : MarkedString.Empty).Append((MarkedString)character);
            count -= Math.Sign(Math.Max(count, 0));
        }

        return builder.Append(count != 0 ? by : MarkedString.Empty).ToMarkedString();
    }
}
