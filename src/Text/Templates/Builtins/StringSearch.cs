using System.Numerics;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>Finding and counting in strings; positions are code points, as in Python.</summary>
internal static class StringSearch
{
    public static object HasAffix(MarkedString text, object?[] bound, bool atStart, RenderContext context)
    {
        (MarkedString part, _) = Part(text, bound);
        if (bound[0] is TupleValue choices)
        {
            return Iteration.Over(choices, context).Any(choice => Matches(part, choice, atStart));
        }

        return Matches(part, bound[0]!, atStart);
    }

    public static object Find(MarkedString text, object?[] bound, bool last, RenderContext context)
    {
        string wanted = Arguments.Text(bound[0]!, "must be str, the text to find").Text;
        (MarkedString part, int offset) = Part(text, bound);
        context.Budget.ChargeScan(part.Length);
        int at = last ? part.Text.LastIndexOf(wanted, StringComparison.Ordinal) : part.Text.IndexOf(wanted, StringComparison.Ordinal);
        return at < 0 ? BigInteger.MinusOne : (BigInteger)text.CodePointAt(offset + at);
    }

    public static object Count(MarkedString text, object?[] bound, RenderContext context)
    {
        string wanted = Arguments.Text(bound[0]!, "must be str, the text to count").Text;
        (MarkedString part, _) = Part(text, bound);
        context.Budget.ChargeScan(part.Length);
        return (BigInteger)(wanted.Length == 0 ? part.CodePointCount + 1 : part.Text.AsSpan().Count(wanted));
    }

    public static bool All(MarkedString text, Func<char, bool> belongs) => text.Length > 0 && text.Text.All(belongs);

    private static bool Matches(MarkedString text, object affix, bool atStart)
    {
        string wanted = Arguments.Text(affix, atStart ? "startswith first arg" : "endswith first arg").Text;
        return atStart ? text.Text.StartsWith(wanted, StringComparison.Ordinal) : text.Text.EndsWith(wanted, StringComparison.Ordinal);
    }

    /// <summary>The part between the optional start and end, and where it begins in UTF-16 units.</summary>
    private static (MarkedString Part, int Offset) Part(MarkedString text, object?[] bound)
    {
        int count = text.CodePointCount;
        int start = Clamp(Arguments.IntOrNone(bound[1], 0), count);
        int end = Clamp(Arguments.IntOrNone(bound[2], count), count);
        int from = text.OffsetOf(start);
        return (text.Slice(from, Math.Max(0, text.OffsetOf(end) - from)), from);
    }

    private static int Clamp(int index, int count) => Math.Clamp(index < 0 ? index + count : index, 0, count);
}
