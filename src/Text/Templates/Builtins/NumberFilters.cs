using System.Globalization;
using System.Numerics;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>Filters that make numbers.</summary>
internal static class NumberFilters
{
    public static object Absolute(object value) => value switch
    {
        double number => Math.Abs(number),
        _ when Numbers.IsNumber(value) => BigInteger.Abs(Numbers.ToInt(value)),
        UndefinedValue undefined => throw undefined.Fail(),
        _ => throw new RenderException($"bad operand type for abs(): '{TypeNames.Of(value)}'"),
    };

    /// <summary>What cannot be read as a number becomes the default, 0.</summary>
    public static object Int(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("int", 0, "default", "base");
        object otherwise = bound[0] ?? BigInteger.Zero;
        switch (value)
        {
            case MarkedString text:
                int radix = Arguments.Int(bound[1], 10);
                if (Numbers.TryParseInt(text.Text, radix, out BigInteger whole))
                {
                    return whole;
                }

                return Numbers.TryParseFloat(text.Text, out double parsed) && double.IsFinite(parsed) ? new BigInteger(Math.Truncate(parsed)) : otherwise;
            case double number:
                return double.IsFinite(number) ? new BigInteger(Math.Truncate(number)) : otherwise;
            case UndefinedValue undefined:
                throw undefined.Fail();
            default:
                return Numbers.IsNumber(value) ? Numbers.ToInt(value) : otherwise;
        }
    }

    public static object Float(object value, Arguments arguments, RenderContext context)
    {
        object otherwise = arguments.Bind("float", 0, "default")[0] ?? 0.0;
        return value switch
        {
            MarkedString text => Numbers.TryParseFloat(text.Text, out double parsed) ? parsed : otherwise,
            UndefinedValue undefined => throw undefined.Fail(),
            _ => Numbers.IsNumber(value) ? Numbers.ToDouble(value) : otherwise,
        };
    }

    public static object Round(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("round", 0, "precision", "method");
        string method = bound[1] is null ? "common" : Arguments.Text(bound[1]!, "round() method").Text;
        if (!Numbers.IsNumber(value))
        {
            throw value is UndefinedValue undefined ? undefined.Fail() : new RenderException($"type {TypeNames.Of(value)} doesn't define __round__ method");
        }

        int precision = Arguments.Int(bound[0], 0);
        if (method == "common")
        {
            return Numbers.Round(value, precision);
        }

        if (method is not ("ceil" or "floor"))
        {
            throw new RenderException("method must be common, ceil or floor");
        }

        double unit = Math.Pow(10, precision);
        double scaled = Numbers.ToDouble(value) * unit;
        return (method == "ceil" ? Math.Ceiling(scaled) : Math.Floor(scaled)) / unit;
    }

    public static object Sum(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("sum", 0, "attribute", "start");
        object total = bound[1] ?? BigInteger.Zero;
        foreach (object item in Iteration.Over(value, context))
        {
            total = Operators.Add(total, bound[0] is null ? item : Subscript.Path(item, bound[0]!, context), context);
        }

        return total;
    }

    public static object FileSize(object value, Arguments arguments, RenderContext context)
    {
        bool binary = Arguments.Flag(arguments.Bind("filesizeformat", 0, "binary")[0]);
        if (Float(value, new Arguments([NoneValue.Instance], []), context) is not double bytes)
        {
            throw new RenderException($"filesizeformat cannot read a number from {PythonText.Repr(value, context).Text}");
        }

        double unit = binary ? 1024 : 1000;
        string[] prefixes = binary ? ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"] : ["k", "M", "G", "T", "P", "E", "Z", "Y"];
        int power = 0;
        double size = bytes;
        while (size >= unit && power < prefixes.Length)
        {
            size /= unit;
            power++;
        }

        string text = power == 0
            ? (bytes == 1 ? "1 Byte" : $"{Math.Truncate(bytes).ToString("F0", CultureInfo.InvariantCulture)} Bytes")
            : $"{PythonText.Fixed(size, 1)} {prefixes[power - 1]}B";
        return new MarkedString(text, trusted: false);
    }
}
