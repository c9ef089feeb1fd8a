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
        ["defined"] = Bare("defined", (value, _) => value is not UndefinedValue),
        ["undefined"] = Bare("undefined", (value, _) => value is UndefinedValue),
        ["none"] = Bare("none", (value, _) => value is NoneValue),
        ["boolean"] = Bare("boolean", (value, _) => value is bool),
        ["true"] = Bare("true", (value, _) => value is true),
        ["false"] = Bare("false", (value, _) => value is false),
        ["integer"] = Bare("integer", (value, _) => value is BigInteger),
        ["float"] = Bare("float", (value, _) => value is double),
        ["number"] = Bare("number", (value, _) => Numbers.IsNumber(value)),
        ["string"] = Bare("string", (value, _) => value is MarkedString),
        ["mapping"] = Bare("mapping", (value, _) => value is DictValue),
        ["sequence"] = Bare("sequence", (value, _) => value is MarkedString or SequenceValue or DictValue or RangeValue),
        ["iterable"] = Bare("iterable", (value, _) => Iteration.IsIterable(value)),
        ["callable"] = Bare("callable", (value, _) => value is CallableValue or UndefinedValue),
        ["escaped"] = Bare("escaped", (_, _) => false),
        ["lower"] = Bare("lower", (value, context) => LetterCase.IsLower(PythonText.Str(value, context))),
        ["upper"] = Bare("upper", (value, context) => LetterCase.IsUpper(PythonText.Str(value, context))),
        ["odd"] = Bare("odd", (value, context) => Leaves(value, 2, 1, context)),
        ["even"] = Bare("even", (value, context) => Leaves(value, 2, 0, context)),
        ["divisibleby"] = (value, arguments, context) => Leaves(value, arguments.Bind("divisibleby", 1, "num")[0]!, 0, context),
        ["filter"] = Bare("filter", (value, _) => value is MarkedString name && Filters.Find(name.Text) is not null),
        ["test"] = Bare("test", (value, _) => value is MarkedString name && Find(name.Text) is not null),
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

    /// <summary>A test that takes no argument, and refuses one as Python does.</summary>
    private static TestFunction Bare(string name, Func<object, RenderContext, bool> test) => (value, arguments, context) =>
    {
        arguments.Bind(name, 0);
        return test(value, context);
    };

    private static bool Leaves(object value, object divisor, int remainder, RenderContext context) =>
        Operators.AreEqual(Operators.Modulo(value, divisor, context), (BigInteger)remainder, context.Budget);

    private static bool Leaves(object value, int divisor, int remainder, RenderContext context) =>
        Leaves(value, (object)(BigInteger)divisor, remainder, context);

    /// <summary>Identity. Python shares small ints and short strings, so scalars of one type are the same when they are equal.</summary>
    private static bool IsSame(object value, object other, RenderContext context) =>
        ReferenceEquals(value, other)
        || (value is bool or BigInteger or MarkedString && value.GetType() == other.GetType() && Operators.AreEqual(value, other, context.Budget));
}
