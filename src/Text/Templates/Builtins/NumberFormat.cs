using System.Globalization;
using System.Numerics;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>Numbers in the forms that Python's <c>%</c> and <c>format()</c> share.</summary>
internal static class NumberFormat
{
    /// <summary>Digits and field widths past this are refused: they only ever serve to fill memory.</summary>
    public const int SizeMax = 10_000;

    /// <summary>The digits of <paramref name="value"/>'s magnitude under a float conversion (e, f, g, or capitals).</summary>
    public static string Float(double value, char conversion, int precision, bool alternate)
    {
        double magnitude = Math.Abs(value);
        string text = !double.IsFinite(magnitude) ? (double.IsNaN(magnitude) ? "nan" : "inf") : char.ToLowerInvariant(conversion) switch
        {
            'f' => PythonText.Fixed(magnitude, precision),
            'e' => Exponent(magnitude, precision),
            _ => General(magnitude, Math.Max(precision, 1), alternate),
        };
        return char.IsUpper(conversion) ? text.ToUpperInvariant() : text;
    }

    /// <summary>The digits of a magnitude in radix 2, 8, 10 or 16.</summary>
    public static string Integer(BigInteger magnitude, char conversion)
    {
        int radix = conversion switch
        {
            'x' or 'X' => 16,
            'o' => 8,
            'b' => 2,
            _ => 10,
        };
        if (radix == 10)
        {
            return magnitude.ToString(CultureInfo.InvariantCulture);
        }

        var digits = new Stack<char>();
        do
        {
            digits.Push("0123456789abcdef"[(int)(magnitude % radix)]);
            magnitude /= radix;
        }
        while (!magnitude.IsZero);
        string text = string.Concat(digits);
        return conversion == 'X' ? text.ToUpperInvariant() : text;
    }

    public static int Size(string digits)
    {
        if (digits.Length > 5 || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int size) || size > SizeMax)
        {
            throw new RenderException($"a format asks for more than {SizeMax} characters", TemplateErrorKind.Limit);
        }

        return size;
    }

    private static string Exponent(double magnitude, int precision)
    {
        string text = magnitude.ToString("e" + precision.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        int exponent = text.IndexOf('e', StringComparison.Ordinal);
        return $"{text[..(exponent + 2)]}{int.Parse(text.AsSpan(exponent + 2), NumberStyles.None, CultureInfo.InvariantCulture):00}";
    }

    private static string General(double magnitude, int precision, bool alternate)
    {
        string scientific = Exponent(magnitude, precision - 1);
        int e = scientific.IndexOf('e', StringComparison.Ordinal);
        int exponent = int.Parse(scientific.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        bool isFixed = exponent >= -4 && exponent < precision;
        string digits = isFixed ? PythonText.Fixed(magnitude, precision - 1 - exponent) : scientific[..e];
        if (!alternate && digits.Contains('.', StringComparison.Ordinal))
        {
            digits = digits.TrimEnd('0').TrimEnd('.');
        }

        return isFixed ? digits : digits + scientific[e..];
    }
}
