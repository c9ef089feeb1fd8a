using System.Numerics;

namespace Serving.Text.Templates.Values;

/// <summary>The names Python's error messages give to types.</summary>
internal static class TypeNames
{
    public static string Of(object value) => value switch
    {
        MarkedString => "str",
        BigInteger => "int",
        double => "float",
        bool => "bool",
        NoneValue => "NoneType",
        ListValue => "list",
        TupleValue => "tuple",
        DictValue => "dict",
        DictView { Kind: DictViewKind.Keys } => "dict_keys",
        DictView { Kind: DictViewKind.Values } => "dict_values",
        DictView => "dict_items",
        RangeValue => "range",
        GeneratorValue => "generator",
        UndefinedValue => "Undefined",
        NamespaceValue => "Namespace",
        SliceValue => "slice",
        CallableValue => "function",
        _ => value.GetType().Name,
    };

    /// <summary>The form Jinja uses for an owner: "dict object", or "None".</summary>
    public static string OfObject(object value) => value is NoneValue ? "None" : Of(value) + " object";
}
