using System.Numerics;
using Serving.Text.Templates.Rendering;

namespace Serving.Text.Templates.Values;

/// <summary>Python's None.</summary>
internal sealed class NoneValue
{
    public static readonly NoneValue Instance = new();

    private NoneValue()
    {
    }
}

/// <summary>
/// Jinja's Undefined: prints as nothing, is false and empty; everything else that is done with it fails with
/// <see cref="Message"/>, which says how it came about.
/// </summary>
internal sealed class UndefinedValue(string message)
{
    public string Message => message;

    public static UndefinedValue Variable(string name) => new($"'{name}' is undefined");

    public static UndefinedValue Attribute(object owner, string name) => new($"'{TypeNames.OfObject(owner)}' has no attribute '{name}'");

    public static UndefinedValue Element(object owner, string element) => new($"{TypeNames.OfObject(owner)} has no element {element}");

    public static UndefinedValue Unsafe(object owner, string name) =>
        new($"access to attribute '{name}' of '{TypeNames.Of(owner)}' object is unsafe.");

    public RenderException Fail() => new(message);
}

/// <summary>A value with attributes of its own, beside the built-in types.</summary>
internal interface IAttributes
{
    object? FindAttribute(string name);
}

/// <summary>Python's range, counted and not stored.</summary>
internal sealed class RangeValue
{
    /// <summary>Jinja's sandbox has the same bound.</summary>
    public const int CountMax = 100_000;

    public RangeValue(BigInteger start, BigInteger stop, BigInteger step)
    {
        if (step.IsZero)
        {
            throw new RenderException("range() arg 3 must not be zero");
        }

        BigInteger span = step.Sign > 0 ? stop - start : start - stop;
        BigInteger size = BigInteger.Abs(step);
        BigInteger count = span.Sign <= 0 ? BigInteger.Zero : (span + size - 1) / size;
        if (count > CountMax)
        {
            throw new RenderException(
                $"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({CountMax}).", TemplateErrorKind.Limit);
        }

        (Start, Stop, Step, Count) = (start, stop, step, (int)count);
    }

    public BigInteger Start { get; }

    public BigInteger Stop { get; }

    public BigInteger Step { get; }

    public int Count { get; }

    public object this[int index] => Start + (index * Step);
}

/// <summary>A Python generator: lazy, true, without a length, and empty once it has been read.</summary>
internal sealed class GeneratorValue(IEnumerable<object> items)
{
    private readonly IEnumerator<object> _enumerator = items.GetEnumerator();

    public IEnumerable<object> Items()
    {
        while (_enumerator.MoveNext())
        {
            yield return _enumerator.Current;
        }
    }
}

/// <summary>The <c>a:b:c</c> of a subscript. A part left out is <see cref="NoneValue"/>.</summary>
internal sealed record SliceValue(object Start, object Stop, object Step);

/// <summary>What <c>namespace()</c> makes: the one value whose attributes a template may set.</summary>
internal sealed class NamespaceValue : IAttributes
{
    private readonly Dictionary<string, object> _attributes = new(StringComparer.Ordinal);

    public object? FindAttribute(string name) => _attributes.GetValueOrDefault(name);

    public void Set(string name, object value) => _attributes[name] = value;
}

/// <summary>Anything a template can call.</summary>
internal abstract class CallableValue(string name)
{
    public string Name => name;

    public abstract object Call(Arguments arguments, RenderContext context);
}

internal sealed class FunctionValue(string name, Func<Arguments, RenderContext, object> function) : CallableValue(name)
{
    public override object Call(Arguments arguments, RenderContext context) => function(arguments, context);
}
