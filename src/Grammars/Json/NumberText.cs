using System.Globalization;
using Serving.Grammars.Automata;
using Serving.Grammars.Expressions;

namespace Serving.Grammars.Json;

/// <summary>Numbers between bounds, as texts: decimal digits compared from the left. Numbers with bounds have no exponent.</summary>
internal static class NumberText
{
    /// <summary>A double holds every number of so many digits apart from every other.</summary>
    private const int DigitsMax = 15;
    private const int FractionDigitsMax = 6;
    private const decimal IntegerMax = 999_999_999_999_999;

    /// <summary>Integers, without a sign before 0.</summary>
    public static Expression Integer(NumberBound? min, NumberBound? max, long multipleOf)
    {
        var low = min?.Ceiling ?? -IntegerMax;
        var high = max?.Floor ?? IntegerMax;

        // What a double cannot hold exactly is left out where something else is left.
        low = Math.Max(low, -IntegerMax) is var nearLow && nearLow <= high ? nearLow : low;
        high = Math.Min(high, IntegerMax) is var nearHigh && nearHigh >= low ? nearHigh : high;
        if (low > high)
        {
            return Expression.Impossible;
        }

        var all = new List<Expression>();
        if (low < 0)
        {
            all.Add(Expression.All(Expression.Literal("-"), Whole(Math.Max(1, -high), -low)));
        }

        if (high >= 0)
        {
            all.Add(Whole(Math.Max(0, low), high));
        }

        var integers = Expression.Any(all);
        return multipleOf <= 1 ? integers : new Expression.Intersection(integers, new Expression.Built(Multiples(multipleOf)));
    }

    /// <summary>Numbers with or without a fraction; at least one bound is given.</summary>
    public static Expression Decimal(NumberBound? min, NumberBound? max)
    {
        var digits = Math.Max(IntegerDigits(min), IntegerDigits(max));
        var fraction = Math.Max(Math.Clamp(DigitsMax - digits, 1, FractionDigitsMax), Math.Max(FractionDigits(min), FractionDigits(max)) + 1);
        var wholeDigits = Math.Clamp(DigitsMax - fraction, digits + 1, 27);
        var all = new List<Expression>();
        if (!(max is { } high && (high.Value < 0 || high is { Value: 0, IsExclusive: true })))
        {
            all.Add(Positive(min is { Value: >= 0 } low ? low : new NumberBound(0, false), max, wholeDigits, fraction));
        }

        if (!(min is { Value: >= 0 }))
        {
            var least = max is { Value: < 0 } ? Negate(max.Value) : new NumberBound(0, true);
            all.Add(Expression.All(Expression.Literal("-"), Positive(least, min is null ? null : Negate(min.Value), wholeDigits, fraction)));
        }

        return Expression.Any(all);
    }

    private static NumberBound Negate(NumberBound bound) => bound with { Value = -bound.Value };

    /// <summary>Numbers from 0 on between bounds.</summary>
    private static Expression Positive(NumberBound low, NumberBound? high, int wholeDigits, int fraction)
    {
        var (whole, digits) = Split(low.Value);
        var atLeast = Expression.Any(
            Expression.All(Expression.Literal(whole), AtLeast(digits, low.IsExclusive, fraction)),
            Expression.All(Whole(decimal.Parse(whole, CultureInfo.InvariantCulture) + 1, Nines(wholeDigits)), Fraction(fraction)));
        if (high is not { } top)
        {
            return atLeast;
        }

        (whole, digits) = Split(top.Value);
        var below = decimal.Parse(whole, CultureInfo.InvariantCulture) - 1;
        var atMost = Expression.Any(
            below < 0 ? Expression.Impossible : Expression.All(Whole(0, below), Fraction(fraction)),
            Expression.All(Expression.Literal(whole), AtMost(digits, top.IsExclusive, fraction)));
        return new Expression.Intersection(atLeast, atMost);
    }

    /// <summary>Any fraction, or none.</summary>
    private static Expression Fraction(int digits) => Expression.Optional(Expression.All(Expression.Literal("."), new Expression.Repeat(FreeJson.Digit, 1, digits)));

    /// <summary>A fraction, with its point, that is not less than one of some digits.</summary>
    private static Expression AtLeast(string digits, bool isExclusive, int places)
    {
        if (digits.Length == 0 && !isExclusive)
        {
            return Fraction(places);
        }

        return Expression.All(Expression.Literal("."), DigitsAtLeast(digits, isExclusive, places));
    }

    private static Expression DigitsAtLeast(string digits, bool isExclusive, int places)
    {
        if (digits.Length == 0)
        {
            return isExclusive
                ? Expression.Any([.. Enumerable.Range(0, places).Select(zeros => Expression.All(
                    Expression.Literal(new string('0', zeros)), FreeJson.NonZeroDigit, new Expression.Repeat(FreeJson.Digit, 0, places - zeros - 1)))])
                : new Expression.Repeat(FreeJson.Digit, 0, places);
        }

        return Expression.Any(
            Expression.All(DigitRange((char)(digits[0] + 1), '9'), new Expression.Repeat(FreeJson.Digit, 0, places - 1)),
            Expression.All(Expression.Literal(digits[..1]), DigitsAtLeast(digits[1..], isExclusive, places - 1)));
    }

    /// <summary>A fraction, with its point or none at all, that is not more than one of some digits.</summary>
    private static Expression AtMost(string digits, bool isExclusive, int places)
    {
        if (digits.Length == 0 && isExclusive)
        {
            return Expression.Impossible;
        }

        return Expression.Optional(Expression.All(Expression.Literal("."), DigitsAtMost(digits, isExclusive, places, isFirst: true)));
    }

    private static Expression DigitsAtMost(string digits, bool isExclusive, int places, bool isFirst)
    {
        if (digits.Length == 0)
        {
            return isExclusive ? Expression.Impossible : new Expression.Repeat(Expression.Literal("0"), isFirst ? 1 : 0, places);
        }

        return Expression.Any(
            isFirst ? Expression.Impossible : Expression.Nothing,
            Expression.All(DigitRange('0', (char)(digits[0] - 1)), new Expression.Repeat(FreeJson.Digit, 0, places - 1)),
            Expression.All(Expression.Literal(digits[..1]), DigitsAtMost(digits[1..], isExclusive, places - 1, isFirst: false)));
    }

    /// <summary>Whole numbers between two that are not negative.</summary>
    private static Expression Whole(decimal low, decimal high)
    {
        var all = new List<Expression>();
        for (var length = Text(low).Length; length <= Text(high).Length; length++)
        {
            var first = Math.Max(low, length == 1 ? 0 : PowerOfTen(length - 1));
            var last = Math.Min(high, Nines(length));
            if (first <= last)
            {
                all.Add(SameLength(Text(first), Text(last)));
            }
        }

        return Expression.Any(all);
    }

    private static Expression SameLength(string low, string high)
    {
        if (low.Length == 0)
        {
            return Expression.Nothing;
        }

        var rest = low.Length - 1;
        if (low.AsSpan(1).IndexOfAnyExcept('0') < 0 && high.AsSpan(1).IndexOfAnyExcept('9') < 0)
        {
            return Expression.All(DigitRange(low[0], high[0]), new Expression.Repeat(FreeJson.Digit, rest, rest));
        }

        if (low[0] == high[0])
        {
            return Expression.All(Expression.Literal(low[..1]), SameLength(low[1..], high[1..]));
        }

        return Expression.Any(
            Expression.All(Expression.Literal(low[..1]), SameLength(low[1..], new string('9', rest))),
            Expression.All(DigitRange((char)(low[0] + 1), (char)(high[0] - 1)), new Expression.Repeat(FreeJson.Digit, rest, rest)),
            Expression.All(Expression.Literal(high[..1]), SameLength(new string('0', rest), high[1..])));
    }

    private static Expression DigitRange(char first, char last) =>
        first > last ? Expression.Impossible : new Expression.ByteRange((byte)first, (byte)last);

    /// <summary>Decimal texts, with a sign or without, of the multiples of a number: one state a remainder.</summary>
    private static Automaton Multiples(long step)
    {
        const int signed = 1;
        const int remainders = 2;
        ByteEdge[] Digits(long remainder) =>
            [.. Enumerable.Range(0, 10).Select(digit => new ByteEdge((byte)('0' + digit), (byte)('0' + digit), remainders + (int)(((remainder * 10) + digit) % step)))];
        return new Automaton(
        [
            new AutomatonState([new ByteEdge((byte)'-', (byte)'-', signed), .. Digits(0)], [], false),
            new AutomatonState(Digits(0), [], false),
            .. Enumerable.Range(0, (int)step).Select(remainder => new AutomatonState(Digits(remainder), [], remainder == 0)),
        ]);
    }

    private static (string Whole, string Fraction) Split(decimal value)
    {
        var text = Text(value);
        var point = text.IndexOf('.');
        return point < 0 ? (text, "") : (text[..point], text[(point + 1)..].TrimEnd('0'));
    }

    private static int IntegerDigits(NumberBound? bound) => bound is { } given ? Split(Math.Abs(given.Value)).Whole.Length : 0;

    private static int FractionDigits(NumberBound? bound) => bound is { } given ? Split(Math.Abs(given.Value)).Fraction.Length : 0;

    private static string Text(decimal value) => value.ToString("0.############################", CultureInfo.InvariantCulture);

    private static decimal Nines(int digits) => PowerOfTen(digits) - 1;

    private static decimal PowerOfTen(int exponent)
    {
        var power = 1m;
        for (var i = 0; i < exponent; i++)
        {
            power *= 10;
        }

        return power;
    }
}
