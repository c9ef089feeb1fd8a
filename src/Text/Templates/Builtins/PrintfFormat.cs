using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>Python's <c>format % values</c>.</summary>
internal static partial class PrintfFormat
{
    public static MarkedString Apply(MarkedString format, Arguments arguments, DictValue? mapping, RenderContext context)
    {
        MarkedTextBuilder builder = context.NewBuilder();
        var rest = new Queue<object>(arguments.Positional);
        int from = 0;
        foreach (Match match in Specification().Matches(format.Text))
        {
            builder.Append(format, from, match.Index - from);
            from = match.Index + match.Length;
            char conversion = match.Groups["conversion"].ValueSpan is [char found] ? found : '\0';
            if (conversion == '%')
            {
                builder.Append(format, from - 1, 1);
                continue;
            }

            if (conversion == '\0')
            {
                throw new RenderException("unsupported or incomplete format character");
            }

            (int width, bool left) = Width(match, rest);
            int? precision = Precision(match, rest);
            object value = match.Groups["key"].Success
                ? mapping?.Find(match.Groups["key"].Value) ?? throw new RenderException($"format key '{match.Groups["key"].Value}' is missing")
                : Take(rest);
            Pad(builder, Convert(value, conversion, precision, match.Groups["flags"].Value, width, context), width, left);
        }

        if (rest.Count > 0 && mapping is null)
        {
            throw new RenderException("not all arguments converted during string formatting");
        }

        return builder.Append(format, from, format.Length - from).ToMarkedString();
    }

    private static MarkedString Convert(object value, char conversion, int? precision, string flags, int width, RenderContext context)
    {
        if (conversion is 's' or 'r' or 'a')
        {
            MarkedString text = conversion == 's' ? PythonText.Str(value, context) : PythonText.Repr(value, context);
            return precision is int most && most < text.CodePointCount ? text.Slice(0, text.OffsetOf(most)) : text;
        }

        if (conversion == 'c')
        {
            return value is MarkedString character ? character : new MarkedString(new Rune((int)Arguments.Integer(value)).ToString(), trusted: false);
        }

        if (!Numbers.IsNumber(value))
        {
            throw value is UndefinedValue undefined
                ? undefined.Fail()
                : new RenderException($"%{conversion} format: a real number is required, not {TypeNames.Of(value)}");
        }

        return new MarkedString(Number(value, conversion, precision, flags, width), trusted: false);
    }

    private static string Number(object value, char conversion, int? precision, string flags, int width)
    {
        bool negative = value is double number ? double.IsNegative(number) : Numbers.ToInt(value).Sign < 0;
        string digits;
        if (conversion is 'd' or 'i' or 'u' or 'x' or 'X' or 'o')
        {
            BigInteger whole = value is double real ? new BigInteger(Math.Truncate(real)) : Numbers.ToInt(value);
            digits = NumberFormat.Integer(BigInteger.Abs(whole), conversion).PadLeft(precision ?? 0, '0');
            digits = flags.Contains('#', StringComparison.Ordinal) && conversion is 'x' or 'X' or 'o' ? $"0{conversion}{digits}" : digits;
        }
        else
        {
            digits = NumberFormat.Float(Numbers.ToDouble(value), conversion, precision ?? 6, flags.Contains('#', StringComparison.Ordinal));
        }

        string sign = negative ? "-" : flags.Contains('+', StringComparison.Ordinal) ? "+" : flags.Contains(' ', StringComparison.Ordinal) ? " " : "";
        bool zeros = flags.Contains('0', StringComparison.Ordinal) && !flags.Contains('-', StringComparison.Ordinal);
        return sign + (zeros ? digits.PadLeft(width - sign.Length < 0 ? 0 : width - sign.Length, '0') : digits);
    }

    private static void Pad(MarkedTextBuilder builder, MarkedString text, int width, bool left)
    {
        int missing = width - text.CodePointCount;
        builder.AppendRepeated(' ', left ? 0 : missing, trusted: false).Append(text).AppendRepeated(' ', left ? missing : 0, trusted: false);
    }

    private static (int Width, bool Left) Width(Match match, Queue<object> rest)
    {
        string width = match.Groups["width"].Value;
        bool left = match.Groups["flags"].Value.Contains('-', StringComparison.Ordinal);
        if (width == "*")
        {
            int given = Numbers.ToIndex(Take(rest));
            return (NumberFormat.Size(Math.Abs(given).ToString(System.Globalization.CultureInfo.InvariantCulture)), left || given < 0);
        }

        return (width.Length == 0 ? 0 : NumberFormat.Size(width), left);
    }

    private static int? Precision(Match match, Queue<object> rest)
    {
        Group precision = match.Groups["precision"];
        return precision.Value switch
        {
            _ when !precision.Success => null,
            "" => 0,
            "*" => Math.Clamp(Numbers.ToIndex(Take(rest)), 0, NumberFormat.SizeMax),
            _ => NumberFormat.Size(precision.Value),
        };
    }

    private static object Take(Queue<object> rest) =>
        rest.TryDequeue(out object? value) ? value : throw new RenderException("not enough arguments for format string");

    [GeneratedRegex(@"%(\((?<key>[^)]*)\))?(?<flags>[#0\- +]*)(?<width>\*|\d+)?(\.(?<precision>\*|\d*))?[hlL]?(?<conversion>[diouxXeEfFgGcrsa%])?", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Specification();
}
