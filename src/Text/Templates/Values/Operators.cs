using System.Numerics;
using Serving.Text.Templates.Builtins;
using Serving.Text.Templates.Rendering;

namespace Serving.Text.Templates.Values;

/// <summary>Python's operators on template values.</summary>
internal static class Operators
{
    public static bool IsTrue(object value) => value switch
    {
        bool flag => flag,
        NoneValue or UndefinedValue => false,
        MarkedString text => text.Length > 0,
        BigInteger number => !number.IsZero,
        double number => number != 0,
        SequenceValue sequence => sequence.Items.Length > 0,
        DictValue dict => dict.Count > 0,
        DictView view => view.Count > 0,
        RangeValue range => range.Count > 0,
        _ => true,
    };

    public static object Add(object left, object right, RenderContext context)
    {
        RequireDefined(left, right);
        switch (left, right)
        {
            case (MarkedString a, MarkedString b):
                context.Budget.ChargeText((long)a.Length + b.Length, 0);
                return MarkedString.Concat(a, b);
            case (ListValue a, ListValue b):
                return new ListValue(Joined(a, b, context));
            case (TupleValue a, TupleValue b):
                return new TupleValue(Joined(a, b, context));
            case (MarkedString or SequenceValue, _):
                string type = TypeNames.Of(left);
                throw new RenderException($"can only concatenate {type} (not \"{TypeNames.Of(right)}\") to {type}");
            default:
                return Numbers.IsNumber(left) && Numbers.IsNumber(right) ? Numbers.Add(left, right) : throw Unsupported("+", left, right);
        }
    }

    public static object Subtract(object left, object right) => Arithmetic("-", left, right, Numbers.Subtract);

    public static object Divide(object left, object right) => Arithmetic("/", left, right, Numbers.Divide);

    public static object FloorDivide(object left, object right) => Arithmetic("//", left, right, Numbers.FloorDivide);

    public static object Power(object left, object right) => Arithmetic("** or pow()", left, right, Numbers.Power);

    public static object Multiply(object left, object right, RenderContext context)
    {
        RequireDefined(left, right);
        if (left is MarkedString or SequenceValue && right is BigInteger or bool)
        {
            return Repeat(left, Numbers.ToIndex(right), context);
        }

        if (right is MarkedString or SequenceValue && left is BigInteger or bool)
        {
            return Repeat(right, Numbers.ToIndex(left), context);
        }

        return Arithmetic("*", left, right, Numbers.Multiply);
    }

    public static object Modulo(object left, object right, RenderContext context)
    {
        if (left is MarkedString format)
        {
            Arguments arguments = right is TupleValue tuple ? new Arguments(tuple.Items, []) : new Arguments([right], []);
            return PrintfFormat.Apply(format, arguments, right as DictValue, context);
        }

        return Arithmetic("%", left, right, Numbers.Modulo);
    }

    public static object Negate(object value) => value switch
    {
        UndefinedValue undefined => throw undefined.Fail(),
        _ when Numbers.IsNumber(value) => Numbers.Negate(value),
        _ => throw new RenderException($"bad operand type for unary -: '{TypeNames.Of(value)}'"),
    };

    public static object Plus(object value) => value switch
    {
        UndefinedValue undefined => throw undefined.Fail(),
        bool flag => flag ? BigInteger.One : BigInteger.Zero,
        _ when Numbers.IsNumber(value) => value,
        _ => throw new RenderException($"bad operand type for unary +: '{TypeNames.Of(value)}'"),
    };

    public static bool AreEqual(object left, object right, RenderBudget budget)
    {
        budget.Enter();
        bool equal = (left, right) switch
        {
            (MarkedString a, MarkedString b) => TextsEqual(a, b, budget),
            (UndefinedValue, UndefinedValue) => true,
            (ListValue a, ListValue b) => ItemsEqual(a, b, budget),
            (TupleValue a, TupleValue b) => ItemsEqual(a, b, budget),
            (DictValue a, DictValue b) => DictsEqual(a, b, budget),
            (RangeValue a, RangeValue b) => a.Count == b.Count && (a.Count == 0 || (a.Start == b.Start && (a.Count == 1 || a.Step == b.Step))),
            _ when Numbers.IsNumber(left) && Numbers.IsNumber(right) => Numbers.Compare(left, right) == 0,
            _ => ReferenceEquals(left, right),
        };
        budget.Exit();
        return equal;
    }

    /// <summary>The order of two values; null where a NaN has none.</summary>
    public static int? Order(object left, object right, string comparison, RenderBudget budget)
    {
        RequireDefined(left, right);
        if (left is MarkedString a && right is MarkedString b)
        {
            budget.ChargeScan(Math.Min(a.Length, b.Length));
            return CompareCodePoints(a.Text, b.Text);
        }

        if (left is SequenceValue first && right is SequenceValue second && left is ListValue == right is ListValue)
        {
            budget.Enter();
            int? order = OrderItems(first.Items, second.Items, comparison, budget);
            budget.Exit();
            return order;
        }

        return Numbers.IsNumber(left) && Numbers.IsNumber(right)
            ? Numbers.Compare(left, right)
            : throw new RenderException(
                $"'{comparison}' not supported between instances of '{TypeNames.Of(left)}' and '{TypeNames.Of(right)}'");
    }

    public static bool Contains(object container, object item, RenderContext context)
    {
        switch (container)
        {
            case MarkedString text:
                if (item is not MarkedString part)
                {
                    throw new RenderException($"'in <string>' requires string as left operand, not {TypeNames.Of(item)}");
                }

                context.Budget.ChargeScan(text.Length);
                return text.Text.Contains(part.Text, StringComparison.Ordinal);
            case DictValue dict:
                return dict.Find(item) is not null || (DictValue.IsHashable(item) || item is UndefinedValue
                    ? false
                    : throw new RenderException($"unhashable type: '{TypeNames.Of(item)}'"));
            case DictView or SequenceValue or RangeValue or GeneratorValue or UndefinedValue:
                return Iteration.Over(container, context).Any(candidate => AreEqual(candidate, item, context.Budget));
            default:
                throw new RenderException($"argument of type '{TypeNames.Of(container)}' is not iterable");
        }
    }

    private static object Arithmetic(string name, object left, object right, Func<object, object, object> operation)
    {
        RequireDefined(left, right);
        return Numbers.IsNumber(left) && Numbers.IsNumber(right) ? operation(left, right) : throw Unsupported(name, left, right);
    }

    private static void RequireDefined(object left, object right)
    {
        if ((left as UndefinedValue ?? right as UndefinedValue) is UndefinedValue undefined)
        {
            throw undefined.Fail();
        }
    }

    private static RenderException Unsupported(string name, object left, object right) =>
        new($"unsupported operand type(s) for {name}: '{TypeNames.Of(left)}' and '{TypeNames.Of(right)}'");

    private static object[] Joined(SequenceValue left, SequenceValue right, RenderContext context)
    {
        context.Budget.Charge(left.Items.Length + right.Items.Length);
        return [.. left.Items, .. right.Items];
    }

    private static object Repeat(object value, int count, RenderContext context)
    {
        count = Math.Max(count, 0);
        if (value is MarkedString text)
        {
            context.Budget.ChargeText((long)text.Length * count, 0);
            MarkedTextBuilder builder = context.NewBuilder();
            for (int i = 0; i < count && text.Length > 0; i++)
            {
                builder.Append(text);
            }

            return builder.ToMarkedString();
        }

        object[] items = ((SequenceValue)value).Items;
        context.Budget.Charge((long)items.Length * count);
        object[] repeated = items.Length == 0 ? [] : [.. Enumerable.Repeat(items, count).SelectMany(static part => part)];
        return value is ListValue ? new ListValue(repeated) : new TupleValue(repeated);
    }

    private static bool TextsEqual(MarkedString left, MarkedString right, RenderBudget budget)
    {
        budget.ChargeScan(left.Length == right.Length ? left.Length : 0);
        return left.Text == right.Text;
    }

    private static bool ItemsEqual(SequenceValue left, SequenceValue right, RenderBudget budget)
    {
        if (left.Items.Length != right.Items.Length)
        {
            return false;
        }

        for (int i = 0; i < left.Items.Length; i++)
        {
            if (!AreEqual(left.Items[i], right.Items[i], budget))
            {
                return false;
            }
        }

        return true;
    }

    private static bool DictsEqual(DictValue left, DictValue right, RenderBudget budget) =>
        left.Count == right.Count
        && left.Entries.All(entry => right.Find(entry.Key) is object other && AreEqual(entry.Value, other, budget));

    private static int? OrderItems(object[] left, object[] right, string comparison, RenderBudget budget)
    {
        for (int i = 0; i < Math.Min(left.Length, right.Length); i++)
        {
            if (!AreEqual(left[i], right[i], budget))
            {
                return Order(left[i], right[i], comparison, budget);
            }
        }

        return left.Length.CompareTo(right.Length);
    }

    /// <summary>UTF-16 order but for surrogates, which stand for code points above every other char.</summary>
    private static int CompareCodePoints(string left, string right)
    {
        int common = left.AsSpan().CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
        {
            return left.Length.CompareTo(right.Length);
        }

        char a = left[common];
        char b = right[common];
        return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b) : char.IsSurrogate(a) ? 1 : -1;
    }
}
