using System.Globalization;
using System.Numerics;
using System.Text;
using Serving.Text.Templates.Rendering;

namespace Serving.Text.Templates.Values;

/// <summary>
/// Python's <c>str()</c> and <c>repr()</c>. A string keeps its marks; everything else that is printed (numbers, brackets, quotes) is
/// untrusted, for it may describe input.
/// </summary>
internal static class PythonText
{
    public static MarkedString Str(object value, RenderContext context) => value switch
    {
        MarkedString text => text,
        UndefinedValue => MarkedString.Empty,
        _ => Repr(value, context),
    };

    public static MarkedString Repr(object value, RenderContext context)
    {
        MarkedTextBuilder builder = context.NewBuilder();
        WriteRepr(value, builder, context.Budget);
        return builder.ToMarkedString();
    }

    /// <summary>The shortest digits that read back, in Python's choice of fixed or exponent form.</summary>
    public static string Float(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        (string digits, int exponent) = Shortest(value);
        string sign = double.IsNegative(value) ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            string fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        if (exponent < 0)
        {
            return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        }

        digits = digits.PadRight(exponent + 2, '0');
        return $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    /// <summary>A fixed number of decimals, from the exact binary value, half to even.</summary>
    public static string Fixed(double value, int decimals) => value.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>Whether Python counts the character as whitespace: Unicode's, and the four separators 1C to 1F.</summary>
    public static bool IsSpace(char character) => char.IsWhiteSpace(character) || character is >= '\x1c' and <= '\x1f';

    public static ReadOnlySpan<char> Strip(ReadOnlySpan<char> text)
    {
        int start = 0;
        int end = text.Length;
        while (start < end && IsSpace(text[start]))
        {
            start++;
        }

        while (end > start && IsSpace(text[end - 1]))
        {
            end--;
        }

        return text[start..end];
    }

    private static void WriteRepr(object value, MarkedTextBuilder builder, RenderBudget budget)
    {
        budget.Enter();
        switch (value)
        {
            case MarkedString text:
                WriteQuoted(text, builder);
                break;
            case ListValue list:
                WriteItems("[", list.Items, "]", builder, budget);
                break;
            case TupleValue tuple:
                WriteItems("(", tuple.Items, tuple.Items.Length == 1 ? ",)" : ")", builder, budget);
                break;
            case DictView view:
                WriteItems(TypeNames.Of(view) + "([", view.Items(), "])", builder, budget);
                break;
            case DictValue dict:
                WriteDict(dict, builder, budget);
                break;
            default:
                builder.Append(Scalar(value), trusted: false);
                break;
        }

        budget.Exit();
    }

    private static string Scalar(object value) => value switch
    {
        bool flag => flag ? "True" : "False",
        BigInteger number => number.ToString(CultureInfo.InvariantCulture),
        double number => Float(number),
        NoneValue => "None",
        UndefinedValue => "Undefined",
        RangeValue range => range.Step.IsOne ? $"range({range.Start}, {range.Stop})" : $"range({range.Start}, {range.Stop}, {range.Step})",
        CallableValue callable => $"<function {callable.Name}>",
        _ => $"<{TypeNames.Of(value)}>",
    };

    private static void WriteItems(string open, IEnumerable<object> items, string close, MarkedTextBuilder builder, RenderBudget budget)
    {
        builder.Append(open, trusted: false);
        bool first = true;
        foreach (object item in items)
        {
            builder.Append(first ? "" : ", ", trusted: false);
            WriteRepr(item, builder, budget);
            first = false;
        }

        builder.Append(close, trusted: false);
    }

    private static void WriteDict(DictValue dict, MarkedTextBuilder builder, RenderBudget budget)
    {
        builder.Append("{", trusted: false);
        bool first = true;
        foreach ((object key, object value) in dict.Entries)
        {
            builder.Append(first ? "" : ", ", trusted: false);
            WriteRepr(key, builder, budget);
            builder.Append(": ", trusted: false);
            WriteRepr(value, builder, budget);
            first = false;
        }

        builder.Append("}", trusted: false);
    }

    private static void WriteQuoted(MarkedString text, MarkedTextBuilder builder)
    {
        string source = text.Text;
        bool single = source.Contains('\'', StringComparison.Ordinal) && !source.Contains('"', StringComparison.Ordinal);
        string quote = single ? "\"" : "'";
        builder.Append(quote, trusted: false);
        int plain = 0;
        for (int i = 0; i < source.Length;)
        {
            int length = Rune.TryGetRuneAt(source, i, out Rune rune) ? rune.Utf16SequenceLength : 1;
            if (Escape(length == 1 ? source[i] : rune.Value, quote[0]) is string escape)
            {
                builder.Append(text, plain, i - plain).Append(escape, trusted: false);
                plain = i + length;
            }

            i += length;
        }

        builder.Append(text, plain, source.Length - plain).Append(quote, trusted: false);
    }

    private static string? Escape(int character, char quote)
    {
        if (character == quote || character == '\\')
        {
            return "\\" + (char)character;
        }

        if (character is >= ' ' and < 0x7f)
        {
            return null;
        }

        return character switch
        {
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            _ when IsPrintable(character) => null,
            <= 0xff => $"\\x{character:x2}",
            <= 0xffff => $"\\u{character:x4}",
            _ => $"\\U{character:x8}",
        };
    }

    private static bool IsPrintable(int character) => CharUnicodeInfo.GetUnicodeCategory(character) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.SpaceSeparator);

    /// <summary>The fewest digits that read back as the value, without outer zeros, and the power of ten of the first.</summary>
    private static (string Digits, int Exponent) Shortest(double value)
    {
        string[] parts = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture).Split('E');
        int exponent = parts.Length == 2 ? int.Parse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : 0;
        int point = parts[0].IndexOf('.', StringComparison.Ordinal);
        string all = point < 0 ? parts[0] : parts[0].Remove(point, 1);
        string digits = all.TrimStart('0');
        exponent += (point < 0 ? all.Length : point) - 1 - (all.Length - digits.Length);
        digits = digits.TrimEnd('0');
        return digits.Length == 0 ? ("0", 0) : (digits, exponent);
    }
}
