using System.Numerics;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>The methods of Python's built-in types that leave the value as it is; the sandbox refuses the others.</summary>
internal static class Methods
{
    private static readonly HashSet<string> ListMutators = ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"];
    private static readonly HashSet<string> DictMutators = ["clear", "pop", "popitem", "setdefault", "update"];

    public static object? Find(object owner, string name)
    {
        Func<Arguments, RenderContext, object>? method = owner switch
        {
            MarkedString text => StringMethods.Find(text, name),
            DictValue dict => OfDict(dict, name),
            SequenceValue sequence => OfSequence(sequence, name),
            double number when name == "is_integer" => (_, _) => double.IsInteger(number),
            BigInteger number when name == "bit_length" => (_, _) => (BigInteger)BigInteger.Abs(number).GetBitLength(),
            _ => null,
        };
        if (method is not null)
        {
            return new FunctionValue(name, method);
        }

        bool mutates = owner is ListValue ? ListMutators.Contains(name) : owner is DictValue && DictMutators.Contains(name);
        return mutates ? UndefinedValue.Unsafe(owner, name) : null;
    }

    private static Func<Arguments, RenderContext, object>? OfDict(DictValue dict, string name) => name switch
    {
        "get" => (arguments, _) =>
        {
            object?[] bound = arguments.Bind(name, 1, "key", "default");
            if (!DictValue.IsHashable(bound[0]!) && bound[0] is not UndefinedValue)
            {
                throw new RenderException($"unhashable type: '{TypeNames.Of(bound[0]!)}'");
            }

            return dict.Find(bound[0]!) ?? bound[1] ?? NoneValue.Instance;
        }
        ,
        "keys" => (_, _) => new DictView(dict, DictViewKind.Keys),
        "values" => (_, _) => new DictView(dict, DictViewKind.Values),
        "items" => (_, _) => new DictView(dict, DictViewKind.Items),
        "copy" => (_, _) => dict,
        _ => null,
    };

    private static Func<Arguments, RenderContext, object>? OfSequence(SequenceValue sequence, string name) => name switch
    {
        "count" => (arguments, context) =>
        {
            object wanted = arguments.Bind(name, 1, "value")[0]!;
            return (BigInteger)Iteration.Over(sequence, context).Count(item => Operators.AreEqual(item, wanted, context.Budget));
        }
        ,
        "index" => (arguments, context) =>
        {
            object wanted = arguments.Bind(name, 1, "value")[0]!;
            int index = Array.FindIndex(sequence.Items, item => Operators.AreEqual(item, wanted, context.Budget));
            return index >= 0 ? (BigInteger)index : throw new RenderException($"{PythonText.Repr(wanted, context).Text} is not in list");
        }
        ,
        "copy" when sequence is ListValue => (_, _) => sequence,
        _ => null,
    };
}
