namespace Serving.Text.Templates.Values;

/// <summary>Python's list or tuple. Never changed once made: the sandbox refuses every method that would.</summary>
internal abstract class SequenceValue(object[] items)
{
    public object[] Items { get; } = items;
}

internal sealed class ListValue(object[] items) : SequenceValue(items);

internal class TupleValue(params object[] items) : SequenceValue(items);

/// <summary>What <c>groupby</c> yields: a tuple whose two items also have names.</summary>
internal sealed class GroupValue(object grouper, ListValue list) : TupleValue(grouper, list), IAttributes
{
    public object? FindAttribute(string name) => name switch
    {
        "grouper" => Items[0],
        "list" => Items[1],
        _ => null,
    };
}
