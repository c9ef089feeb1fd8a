using System.Numerics;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Rendering.Statements;

/// <summary>The variable <c>loop</c>.</summary>
internal sealed class LoopValue(object[] items, int depth, Func<object, MarkedString>? recurse) : CallableValue("loop"), IAttributes
{
    private static readonly UndefinedValue NoPrevious = new("there is no previous item");
    private static readonly UndefinedValue NoNext = new("there is no next item");

    private object? _lastChecked;

    public int Index { get; set; }

    public object? FindAttribute(string name) => name switch
    {
        "index" => (BigInteger)(Index + 1),
        "index0" => (BigInteger)Index,
        "revindex" => (BigInteger)(items.Length - Index),
        "revindex0" => (BigInteger)(items.Length - Index - 1),
        "first" => Index == 0,
        "last" => Index == items.Length - 1,
        "length" => (BigInteger)items.Length,
        "depth" => (BigInteger)(depth + 1),
        "depth0" => (BigInteger)depth,
        "previtem" => Index > 0 ? items[Index - 1] : NoPrevious,
        "nextitem" => Index < items.Length - 1 ? items[Index + 1] : NoNext,
        "cycle" => new FunctionValue("cycle", Cycle),
        "changed" => new FunctionValue("changed", (arguments, context) => Changed(arguments, context)),
        _ => null,
    };

    public override object Call(Arguments arguments, RenderContext context) => recurse is null
        ? throw new RenderException("The loop must have the 'recursive' marker to be called recursively.")
        : recurse(arguments.Bind("loop", 1, "iterable")[0]!);

    private object Cycle(Arguments arguments, RenderContext context) => arguments.Positional is { Length: > 0 } values
        ? values[Index % values.Length]
        : throw new RenderException("no items for cycling given");

    private bool Changed(Arguments arguments, RenderContext context)
    {
        var value = new TupleValue(arguments.Positional);
        bool changed = _lastChecked is null || !Operators.AreEqual(_lastChecked, value, context.Budget);
        _lastChecked = value;
        return changed;
    }
}
