using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary><c>split</c> and its kin.</summary>
internal static class StringSplitting
{
    public static ListValue Split(MarkedString text, object?[] bound, bool fromRight, RenderContext context)
    {
        int splitsMax = Arguments.Int(bound[1], -1);
        splitsMax = splitsMax < 0 ? int.MaxValue : splitsMax;
        List<object> parts = [];
        if (bound[0] is null or NoneValue)
        {
            SplitAtSpace(text, splitsMax, fromRight, parts);
        }
        else
        {
            string separator = Arguments.Text(bound[0]!, "the separator").Text;
            if (separator.Length == 0)
            {
                throw new RenderException("empty separator");
            }

            SplitAt(text, separator, splitsMax, fromRight, parts);
        }

        context.Budget.Charge(parts.Count);
        if (fromRight)
        {
            parts.Reverse();
        }

        return new ListValue([.. parts]);
    }

    /// <summary>The lines of a text, at any of the line ends that Python knows.</summary>
    public static IEnumerable<MarkedString> Lines(MarkedString text, bool keepEnds, RenderContext context)
    {
        string source = text.Text;
        for (int start = 0; start < source.Length;)
        {
            context.Budget.Charge(1);
            int end = start;
            while (end < source.Length && !IsLineEnd(source[end]))
            {
                end++;
            }

            int next = end < source.Length ? end + 1 : end;
            next += next < source.Length && source[end] == '\r' && source[next] == '\n' ? 1 : 0;
            yield return text.Slice(start, (keepEnds ? next : end) - start);
            start = next;
        }
    }

    public static TupleValue Partition(MarkedString text, object separator, bool last)
    {
        string found = Arguments.Text(separator, "the separator").Text;
        if (found.Length == 0)
        {
            throw new RenderException("empty separator");
        }

        int at = last ? text.Text.LastIndexOf(found, StringComparison.Ordinal) : text.Text.IndexOf(found, StringComparison.Ordinal);
        if (at < 0)
        {
            return last ? new TupleValue(MarkedString.Empty, MarkedString.Empty, text) : new TupleValue(text, MarkedString.Empty, MarkedString.Empty);
        }

        int after = at + found.Length;
        return new TupleValue(text.Slice(0, at), text.Slice(at, found.Length), text.Slice(after, text.Length - after));
    }

    private static void SplitAt(MarkedString text, string separator, int splitsMax, bool fromRight, List<object> parts)
    {
        int start = 0;
        int end = text.Length;
        while (parts.Count < splitsMax)
        {
            int at = fromRight
                ? text.Text.AsSpan(0, end).LastIndexOf(separator, StringComparison.Ordinal)
                : text.Text.IndexOf(separator, start, StringComparison.Ordinal);
            if (at < 0)
            {
                break;
            }

            if (fromRight)
            {
                parts.Add(text.Slice(at + separator.Length, end - at - separator.Length));
                end = at;
            }
            else
            {
                parts.Add(text.Slice(start, at - start));
                start = at + separator.Length;
            }
        }

        parts.Add(text.Slice(start, end - start));
    }

    private static void SplitAtSpace(MarkedString text, int splitsMax, bool fromRight, List<object> parts)
    {
        MarkedString rest = StringEditing.Strip(text, null, left: true, right: true);
        int start = 0;
        int end = rest.Length;
        string source = rest.Text;
        while (start < end)
        {
            if (parts.Count == splitsMax)
            {
                // What is left keeps the blanks at its outer end, as in Python.
                parts.Add(Remainder(text, start, end, fromRight));
                return;
            }

            int stop = fromRight ? end - 1 : start;
            while (stop >= start && stop < end && !PythonText.IsSpace(source[stop]))
            {
                stop += fromRight ? -1 : 1;
            }

            parts.Add(fromRight ? rest.Slice(stop + 1, end - stop - 1) : rest.Slice(start, stop - start));
            while (stop >= start && stop < end && PythonText.IsSpace(source[stop]))
            {
                stop += fromRight ? -1 : 1;
            }

            (start, end) = fromRight ? (start, stop + 1) : (stop, end);
        }
    }

    private static MarkedString Remainder(MarkedString text, int start, int end, bool fromRight)
    {
        int lead = text.Length - StringEditing.Strip(text, null, left: true, right: false).Length;
        return fromRight ? text.Slice(0, lead + end) : text.Slice(lead + start, text.Length - lead - start);
    }

    private static bool IsLineEnd(char character) =>
        character is '\n' or '\r' or '\v' or '\f' or '\x1c' or '\x1d' or '\x1e' or '\x85' or '\u2028' or '\u2029';
}
