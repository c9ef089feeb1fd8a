using System.Globalization;
using System.Numerics;
using Serving.Text.Templates.Rendering;

namespace Serving.Text.Templates.Values;

/// <summary>Python's arithmetic on int (unbounded there, bounded here), float and bool (an int).</summary>
internal static class Numbers
{
    /// <summary>Bits of an int: about the 4,300 digits past which Python refuses to print one.</summary>
    private const int IntBitsMax = 14_000;

    public static bool IsNumber(object value) => value is BigInteger or double or bool;

    public static BigInteger ToInt(object value) => value is bool flag ? (flag ? BigInteger.One : BigInteger.Zero) : (BigInteger)value;

    public static double ToDouble(object value)
    {
        if (value is double number)
        {
            return number;
        }

        double converted = (double)ToInt(value);
        return double.IsFinite(converted) ? converted : throw new RenderException("int too large to convert to float");
    }

    /// <summary>An int that counts or points, clamped to what an int32 holds.</summary>
    public static int ToIndex(object value)
    {
        BigInteger number = Arguments.Integer(value);
        return number > int.MaxValue ? int.MaxValue : number < -int.MaxValue ? -int.MaxValue : (int)number;
    }

    public static object Bounded(BigInteger value) => value.GetBitLength() <= IntBitsMax
        ? value
        : throw new RenderException($"an int grows past {IntBitsMax} bits", TemplateErrorKind.Limit);

    /// <summary>Negative, zero or positive; a NaN is unequal to everything and gives null.</summary>
    public static int? Compare(object left, object right)
    {
        if (left is not double && right is not double)
        {
            return ToInt(left).CompareTo(ToInt(right));
        }

        if ((left is double a && double.IsNaN(a)) || (right is double b && double.IsNaN(b)))
        {
            return null;
        }

        if (left is double x && right is double y)
        {
            return x.CompareTo(y);
        }

        return left is double f ? -CompareExact(ToInt(right), f) : CompareExact(ToInt(left), (double)right);
    }

    public static object Add(object left, object right) =>
        AreInts(left, right) ? Bounded(ToInt(left) + ToInt(right)) : ToDouble(left) + ToDouble(right);

    public static object Subtract(object left, object right) =>
        AreInts(left, right) ? Bounded(ToInt(left) - ToInt(right)) : ToDouble(left) - ToDouble(right);

    public static object Multiply(object left, object right) =>
        AreInts(left, right) ? Bounded(ToInt(left) * ToInt(right)) : ToDouble(left) * ToDouble(right);

    public static object Divide(object left, object right)
    {
        double divisor = ToDouble(right);
        if (divisor == 0)
        {
            throw new RenderException(AreInts(left, right) ? "division by zero" : "float division by zero");
        }

        return ToDouble(left) / divisor;
    }

    public static object FloorDivide(object left, object right)
    {
        if (AreInts(left, right))
        {
            BigInteger divisor = NonZero(ToInt(right), "integer division or modulo by zero");
            BigInteger quotient = BigInteger.DivRem(ToInt(left), divisor, out BigInteger remainder);
            return !remainder.IsZero && remainder.Sign != divisor.Sign ? quotient - 1 : quotient;
        }

        double by = ToDouble(right);
        return by == 0 ? throw new RenderException("float floor division by zero") : Math.Floor((ToDouble(left) - FloatModulo(ToDouble(left), by)) / by);
    }

    /// <summary>The remainder has the divisor's sign.</summary>
    public static object Modulo(object left, object right)
    {
        if (AreInts(left, right))
        {
            BigInteger divisor = NonZero(ToInt(right), "integer division or modulo by zero");
            BigInteger remainder = BigInteger.Remainder(ToInt(left), divisor);
            return !remainder.IsZero && remainder.Sign != divisor.Sign ? remainder + divisor : remainder;
        }

        double by = ToDouble(right);
        return by == 0 ? throw new RenderException("float modulo") : FloatModulo(ToDouble(left), by);
    }

    public static object Power(object left, object right)
    {
        if (AreInts(left, right) && ToInt(right).Sign >= 0)
        {
            BigInteger value = ToInt(left);
            BigInteger exponent = ToInt(right);
            if (BigInteger.Abs(value) > 1 && exponent * (value.GetBitLength() - 1) > IntBitsMax)
            {
                throw new RenderException($"an int grows past {IntBitsMax} bits", TemplateErrorKind.Limit);
            }

            return BigInteger.Abs(value) > 1 ? Bounded(BigInteger.Pow(value, (int)exponent)) : SmallPower(value, exponent);
        }

        double power = ToDouble(right);
        double number = ToDouble(left);
        if (number == 0 && power < 0)
        {
            throw new RenderException("0.0 cannot be raised to a negative power");
        }

        double result = Math.Pow(number, power);
        return double.IsNaN(result) && number < 0 ? throw new RenderException("a negative number to a fractional power is complex") : result;
    }

    public static object Negate(object value) => value is double number ? -number : -ToInt(value);

    /// <summary>Rounds half to even, as Python's <c>round</c>; without digits the result is an int.</summary>
    public static object Round(object value, int? digits)
    {
        if (value is not double number)
        {
            BigInteger whole = ToInt(value);
            if (digits is null or >= 0)
            {
                return whole;
            }

            if (digits < -IntBitsMax)
            {
                return BigInteger.Zero;
            }

            BigInteger unit = BigInteger.Pow(10, -digits.Value);
            BigInteger floor = (BigInteger)FloorDivide(whole, unit);
            int half = ((whole - (floor * unit)) * 2).CompareTo(unit);
            return (half > 0 || (half == 0 && !floor.IsEven) ? floor + 1 : floor) * unit;
        }

        if (digits is null)
        {
            return double.IsFinite(number)
                ? new BigInteger(Math.Round(number, MidpointRounding.ToEven))
                : throw new RenderException(double.IsNaN(number) ? "cannot convert float NaN to integer" : "cannot convert float infinity to integer");
        }

        return RoundDigits(number, digits.Value);
    }

    /// <summary>Parses as Python's <c>int()</c>: signs, single underscores between digits, a base of 2 to 36 with its prefix.</summary>
    public static bool TryParseInt(string text, int radix, out BigInteger value)
    {
        value = default;
        ReadOnlySpan<char> digits = PythonText.Strip(text);
        bool negative = digits is ['-', ..];
        digits = digits is ['-' or '+', ..] ? digits[1..] : digits;
        if (digits.Length > 1 && digits[0] == '0' && RadixOf(digits[1]) is int prefixed and not 0 && (radix == prefixed || radix == 0))
        {
            radix = prefixed;
            digits = digits is [_, _, '_', ..] ? digits[3..] : digits[2..];
        }

        radix = radix == 0 ? 10 : radix;
        if (digits.IsEmpty || digits[0] == '_' || digits[^1] == '_' || digits.IndexOf("__", StringComparison.Ordinal) >= 0 || digits.Length > IntBitsMax / 4)
        {
            return false;
        }

        foreach (char character in digits)
        {
            if (character == '_')
            {
                continue;
            }

            int digit = DigitOf(character);
            if (digit < 0 || digit >= radix)
            {
                return false;
            }

            value = (value * radix) + digit;
        }

        value = negative ? -value : value;
        return true;
    }

    public static bool TryParseFloat(string text, out double value)
    {
        ReadOnlySpan<char> digits = PythonText.Strip(text);
        ReadOnlySpan<char> unsigned = digits is ['-' or '+', ..] ? digits[1..] : digits;
        double sign = digits is ['-', ..] ? -1 : 1;
        if (unsigned.Equals("inf", StringComparison.OrdinalIgnoreCase) || unsigned.Equals("infinity", StringComparison.OrdinalIgnoreCase))
        {
            value = sign * double.PositiveInfinity;
            return true;
        }

        if (unsigned.Equals("nan", StringComparison.OrdinalIgnoreCase))
        {
            value = double.NaN;
            return true;
        }

        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(digits.ToString().Replace("_", "", StringComparison.Ordinal), Style, CultureInfo.InvariantCulture, out value);
    }

    private static bool AreInts(object left, object right) => left is not double && right is not double;

    private static BigInteger NonZero(BigInteger divisor, string message) => divisor.IsZero ? throw new RenderException(message) : divisor;

    private static double FloatModulo(double left, double right)
    {
        double remainder = left % right;
        return remainder != 0 && (remainder < 0) != (right < 0) ? remainder + right : remainder;
    }

    private static BigInteger SmallPower(BigInteger value, BigInteger exponent) =>
        exponent.IsZero || value.IsOne ? BigInteger.One : value.IsZero ? BigInteger.Zero : exponent.IsEven ? BigInteger.One : BigInteger.MinusOne;

    private static int CompareExact(BigInteger whole, double number)
    {
        if (double.IsInfinity(number))
        {
            return number > 0 ? -1 : 1;
        }

        int order = whole.CompareTo(new BigInteger(Math.Floor(number)));
        return order == 0 && !double.IsInteger(number) ? -1 : order;
    }

    private static double RoundDigits(double number, int digits)
    {
        if (!double.IsFinite(number) || digits > 22)
        {
            return number;
        }

        if (digits >= 0)
        {
            // The exact decimal expansion decides, so 2.675 (below the half in binary) goes down: "F" formats from the exact value.
            return double.Parse(PythonText.Fixed(number, digits), CultureInfo.InvariantCulture);
        }

        double unit = Math.Pow(10, -digits);
        return double.IsFinite(unit) ? Math.Round(number / unit, MidpointRounding.ToEven) * unit : 0.0;
    }

    private static int RadixOf(char prefix) => prefix switch
    {
        'x' or 'X' => 16,
        'o' or 'O' => 8,
        'b' or 'B' => 2,
        _ => 0,
    };

    private static int DigitOf(char character)
    {
        if (char.IsAsciiLetter(character))
        {
            return (character | 0x20) - 'a' + 10;
        }

        return char.IsDigit(character) ? (int)char.GetNumericValue(character) : -1;
    }
}
