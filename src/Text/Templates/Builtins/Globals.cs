using System.Numerics;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>The functions every template has: Jinja's, and those of Hugging Face's chat templates.</summary>
internal static class Globals
{
    private static readonly Dictionary<string, FunctionValue> Table = new FunctionValue[]
    {
        new("range", Range),
        new("dict", (arguments, context) => MakeDict(arguments, context)),
        new("namespace", Namespace),
        new("joiner", Joiner),
        new("cycler", (arguments, _) => arguments.Positional is { Length: > 0 } items
            ? new CyclerValue(items)
            : throw new RenderException("at least one item has to be provided")),
        new("raise_exception", RaiseException),
        new("strftime_now", StrftimeNow),
    }.ToDictionary(static function => function.Name, StringComparer.Ordinal);

    public static object? Find(string name) => Table.GetValueOrDefault(name);

    private static RangeValue Range(Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("range", 1, "start", "stop", "step");
        BigInteger first = Arguments.Integer(bound[0]!);
        return bound[1] is null
            ? new RangeValue(BigInteger.Zero, first, BigInteger.One)
            : new RangeValue(first, Arguments.Integer(bound[1]!), bound[2] is null ? BigInteger.One : Arguments.Integer(bound[2]!));
    }

    private static DictValue MakeDict(Arguments arguments, RenderContext context)
    {
        var dict = new DictValue();
        switch (arguments.Positional)
        {
            case []:
                break;
            case [DictValue source]:
                context.Budget.Charge(source.Count);
                source.Entries.ToList().ForEach(entry => dict.Set(entry.Key, entry.Value));
                break;
            case [object pairs]:
                foreach (object pair in Iteration.Over(pairs, context))
                {
                    if (Iteration.ToArray(pair, context) is not [object key, object value])
                    {
                        throw new RenderException("dictionary update sequence elements must have length 2");
                    }

                    dict.Set(key, value);
                }

                break;
            default:
                throw new RenderException($"dict expected at most 1 argument, got {arguments.Positional.Length}");
        }

        foreach ((string name, object value) in arguments.Named)
        {
            dict.Set(new MarkedString(name, trusted: true), value);
        }

        return dict;
    }

    private static NamespaceValue Namespace(Arguments arguments, RenderContext context)
    {
        var result = new NamespaceValue();
        foreach ((object key, object value) in MakeDict(arguments, context).Entries)
        {
            result.Set(Arguments.Text(key, "a namespace's attribute").Text, value);
        }

        return result;
    }

    private static FunctionValue Joiner(Arguments arguments, RenderContext context)
    {
        object separator = arguments.Bind("joiner", 0, "sep")[0] ?? new MarkedString(", ", trusted: true);
        bool used = false;
        return new FunctionValue("joiner", (_, _) =>
        {
            object result = used ? separator : MarkedString.Empty;
            used = true;
            return result;
        });
    }

    private static object RaiseException(Arguments arguments, RenderContext context) => throw new RenderException(
        PythonText.Str(arguments.Bind("raise_exception", 1, "message")[0]!, context).Text, TemplateErrorKind.Raised);

    /// <summary>The date is the server's, so it is as trusted as the format that asks for it.</summary>
    private static MarkedString StrftimeNow(Arguments arguments, RenderContext context)
    {
        MarkedString format = Arguments.Text(arguments.Bind("strftime_now", 1, "format")[0]!, "strftime_now() argument");
        context.Budget.ChargeScan(format.Length);
        string text = Strftime.Format(context.TimeProvider.GetLocalNow(), format.Text);
        return context.NewBuilder().Append(text, format.IsTrusted).ToMarkedString();
    }
}

/// <summary>What <c>cycler()</c> makes.</summary>
internal sealed class CyclerValue(object[] items) : IAttributes
{
    private int _index;

    public object? FindAttribute(string name) => name switch
    {
        "current" => items[_index],
        "next" => new FunctionValue("next", (_, _) =>
        {
            object item = items[_index];
            _index = (_index + 1) % items.Length;
            return item;
        }),
        "reset" => new FunctionValue("reset", (_, _) =>
        {
            _index = 0;
            return NoneValue.Instance;
        }),
        _ => null,
    };
}
