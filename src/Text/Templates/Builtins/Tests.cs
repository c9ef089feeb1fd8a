using System.Numerics;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Rendering.Expressions;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>Jinja's tests, by name.</summary>
internal static class Tests
{
    private static readonly Dictionary<string, TestFunction> Table = new(StringComparer.Ordinal)
    {
        ["defined"] = (value, _, _) => value is not UndefinedValue,
        ["undefined"] = (value, _, _) => value is UndefinedValue,
        ["none"] = (value, _, _) => value is NoneValue,
        ["boolean"] = (value, _, _) => value is bool,
        ["true"] = (value, _, _) => value is true,
        ["false"] = (value, _, _) => value is false,
        ["integer"] = (value, _, _) => value is BigInteger,
        ["float"] = (value, _, _) => value is double,
        ["number"] = (value, _, _) => Numbers.IsNumber(value),
        ["string"] = (value, _, _) => value is MarkedString,
        ["mapping"] = (value, _, _) => value is DictValue,
        ["sequence"] = (value, _, _) => value is MarkedString or SequenceValue or DictValue or RangeValue,
        ["iterable"] = (value, _, _) => Iteration.IsIterable(value),
        ["callable"] = (value, _, _) => value is CallableValue or UndefinedValue,
        ["escaped"] = (_, _, _) => false,
        ["lower"] = (value, _, context) => LetterCase.IsLower(PythonText.Str(value, context)),
        ["upper"] = (value, _, context) => LetterCase.IsUpper(PythonText.Str(value, context)),
        ["odd"] = (value, _, context) => Leaves(value, 2, 1, context),
        ["even"] = (value, _, context) => Leaves(value, 2, 0, context),
        ["divisibleby"] = (value, arguments, context) => Leaves(value, arguments.Bind("divisibleby", 1, "num")[0]!, 0, context),
        ["filter"] = (value, _, _) => value is MarkedString name && Filters.Find(name.Text) is not null,
        ["test"] = (value, _, _) => value is MarkedString name && Find(name.Text) is not null,
        ["sameas"] = (value, arguments, context) => IsSame(value, arguments.Bind("sameas", 1, "other")[0]!, context),
        ["in"] = (value, arguments, context) => Operators.Contains(arguments.Bind("in", 1, "seq")[0]!, value, context),
    };

    static Tests()
    {
        AddComparison("==", "eq", "equalto");
        AddComparison("!=", "ne");
        AddComparison("<", "lt", "lessthan");
        AddComparison("<=", "le");
        AddComparison(">", "gt", "greaterthan");
        AddComparison(">=", "ge");
    }

    public static TestFunction? Find(string name) => Table.GetValueOrDefault(name);

    private static void AddComparison(string sign, params ReadOnlySpan<string> names)
    {
        TestFunction test = (value, arguments, context) =>
            ComparisonExpression.Compare(sign, value, arguments.Bind(sign, 1, "other")[0]!, context);
        Table[sign] = test;
        foreach (string name in names)
        {
            Table[name] = test;
        }
    }

    private static bool Leaves(object value, object divisor, int remainder, RenderContext context) =>
        Operators.AreEqual(Operators.Modulo(value, divisor, context), (BigInteger)remainder, context.Budget);

    private static bool Leaves(object value, int divisor, int remainder, RenderContext context) =>
        Leaves(value, (object)(BigInteger)divisor, remainder, context);

    /// <summary>Identity. Python shares small ints and short strings, so scalars of one type are the same when they are equal.</summary>
    private static bool IsSame(object value, object other, RenderContext context) =>
        ReferenceEquals(value, other)
        || (value is bool or BigInteger or MarkedString && value.GetType() == other.GetType() && Operators.AreEqual(value, other, context.Budget));
}
