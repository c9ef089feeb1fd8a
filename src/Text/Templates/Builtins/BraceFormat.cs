using System.Numerics;
using System.Text.RegularExpressions;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>Python's <c>str.format</c>: fields by position or name, their attributes and items, conversions and format specifications.</summary>
internal static partial class BraceFormat
{
    public static MarkedString Apply(MarkedString format, Arguments arguments, RenderContext context) =>
        Apply(format, arguments.Positional, name => arguments.Named.FirstOrDefault(pair => pair.Key == name).Value, context);

    public static MarkedString ApplyMap(MarkedString format, object mapping, RenderContext context) => mapping is DictValue dict
        ? Apply(format, [], dict.Find, context)
        : throw new RenderException("format_map() argument must be a mapping");

    private static MarkedString Apply(MarkedString format, object[] positional, Func<string, object?> named, RenderContext context)
    {
        MarkedTextBuilder builder = context.NewBuilder();
        string source = format.Text;
        int automatic = 0;
        for (int i = 0; i < source.Length;)
        {
            int brace = source.AsSpan(i).IndexOfAny('{', '}');
            int plain = brace < 0 ? source.Length - i : brace;
            builder.Append(format, i, plain);
            i += plain;
            if (i == source.Length)
            {
                break;
            }

            if (i + 1 < source.Length && source[i + 1] == source[i])
            {
                builder.Append(format, i, 1);
                i += 2;
                continue;
            }

            int end = source.IndexOf('}', i);
            if (source[i] == '}' || end < 0)
            {
                throw new RenderException($"Single '{source[i]}' encountered in format string");
            }

            builder.Append(Field(source[(i + 1)..end], positional, named, ref automatic, context));
            i = end + 1;
        }

        return builder.ToMarkedString();
    }

    private static MarkedString Field(string field, object[] positional, Func<string, object?> named, ref int automatic, RenderContext context)
    {
        Match match = FieldParts().Match(field);
        if (!match.Success)
        {
            throw new RenderException($"'{{{field}}}' is not a replacement field");
        }

        string name = match.Groups["name"].Value;
        object? value;
        if (name.Length == 0 || name.All(char.IsAsciiDigit))
        {
            int index = name.Length == 0 ? automatic++ : NumberFormat.Size(name);
            value = index < positional.Length ? positional[index] : throw new RenderException($"Replacement index {index} out of range for positional args tuple");
        }
        else
        {
            value = named(name) ?? throw new RenderException($"'{name}'");
        }

        foreach (Capture step in match.Groups["step"].Captures)
        {
            value = Step(value, step.Value, context);
        }

        value = match.Groups["conversion"].Value switch
        {
            "s" => PythonText.Str(value, context),
            "r" or "a" => PythonText.Repr(value, context),
            _ => value,
        };
        return Format(value, match.Groups["spec"].Value, context);
    }

    private static object Step(object owner, string step, RenderContext context)
    {
        if (step[0] == '.')
        {
            return Subscript.Attribute(owner, step[1..]);
        }

        string key = step[1..^1];
        return Subscript.Item(
            owner, key.All(char.IsAsciiDigit) ? (BigInteger)NumberFormat.Size(key) : new MarkedString(key, trusted: false), context);
    }

    private static MarkedString Format(object value, string specification, RenderContext context)
    {
        Match spec = Specification().Match(specification);
        if (!spec.Success)
        {
            throw new RenderException($"Invalid format specifier '{specification}'");
        }

        bool isNumber = Numbers.IsNumber(value) && (value is not bool || spec.Groups["type"].Success);
        bool zeros = spec.Groups["zero"].Success;
        string sign = "";
        MarkedString body = isNumber
            ? new MarkedString(Number(value, spec, out sign), trusted: false)
            : Cut(PythonText.Str(value, context), spec.Groups["precision"].Value);
        int width = spec.Groups["width"].Success ? NumberFormat.Size(spec.Groups["width"].Value) : 0;
        int missing = Math.Max(0, width - sign.Length - body.CodePointCount);
        char align = spec.Groups["align"].ValueSpan is [char given] ? given : isNumber ? (zeros ? '=' : '>') : '<';
        char fill = spec.Groups["fill"].ValueSpan is [char filler] ? filler : zeros ? '0' : ' ';
        int before = align switch
        {
            '<' => 0,
            '^' => missing / 2,
            _ => missing,
        };
        MarkedTextBuilder builder = context.NewBuilder().Append(align == '=' ? sign : "", trusted: false).AppendRepeated(fill, before, trusted: false);
        return builder.Append(align == '=' ? "" : sign, trusted: false).Append(body).AppendRepeated(fill, missing - before, trusted: false).ToMarkedString();
    }

    private static MarkedString Cut(MarkedString text, string precision) =>
        precision.Length > 0 && NumberFormat.Size(precision) is int most && most < text.CodePointCount ? text.Slice(0, text.OffsetOf(most)) : text;

    private static string Number(object value, Match spec, out string sign)
    {
        string type = spec.Groups["type"].Value;
        bool isFloat = value is double || type is "e" or "E" or "f" or "F" or "g" or "G" or "%";
        bool negative = isFloat ? double.IsNegative(Numbers.ToDouble(value)) : Numbers.ToInt(value).Sign < 0;
        sign = negative ? "-" : spec.Groups["sign"].Value is "+" or " " ? spec.Groups["sign"].Value : "";
        string digits = isFloat ? Float(Numbers.ToDouble(value), type, spec.Groups["precision"]) : Integer(Numbers.ToInt(value), type, spec.Groups["alternate"].Success);
        return spec.Groups["grouping"].Success ? Grouped(digits, spec.Groups["grouping"].Value) : digits;
    }

    private static string Integer(BigInteger value, string type, bool alternate)
    {
        char conversion = type.Length == 0 ? 'd' : type[0];
        string prefix = alternate && conversion is 'x' or 'X' or 'o' or 'b' ? "0" + conversion : "";
        return prefix + NumberFormat.Integer(BigInteger.Abs(value), conversion);
    }

    private static string Float(double value, string type, Group precision)
    {
        int? digits = precision.Success ? NumberFormat.Size(precision.Value) : null;
        return type switch
        {
            "" when digits is null => PythonText.Float(Math.Abs(value)),
            "%" => NumberFormat.Float(value * 100, 'f', digits ?? 6, alternate: false) + "%",
            _ => NumberFormat.Float(value, type.Length == 0 ? 'g' : type[0], digits ?? 6, alternate: false),
        };
    }

    private static string Grouped(string digits, string separator)
    {
        int whole = digits.AsSpan().IndexOfAnyExceptInRange('0', '9');
        whole = whole < 0 ? digits.Length : whole;
        for (int at = whole - 3; at > 0; at -= 3)
        {
            digits = digits.Insert(at, separator);
        }

        return digits;
    }

    [GeneratedRegex(@"^(?<name>[^.\[!:]*)(?<step>\.[^.\[!:]+|\[[^\]]+\])*(!(?<conversion>[rsa]))?(:(?<spec>.*))?$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex FieldParts();

    [GeneratedRegex(@"^((?<fill>.)?(?<align>[<>=^]))?(?<sign>[-+ ])?(?<alternate>#)?(?<zero>0)?(?<width>\d+)?(?<grouping>[,_])?(\.(?<precision>\d+))?(?<type>[bcdeEfFgGnosxX%])?$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Specification();
}
