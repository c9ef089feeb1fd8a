using System.Numerics;
using Serving.Text.Templates.Rendering;

namespace Serving.Text.Templates.Values;

/// <summary>Python's dict: keys in the order of their first insertion.</summary>
internal sealed class DictValue
{
    private readonly OrderedDictionary<object, object> _entries = new(KeyComparer.Instance);

    public int Count => _entries.Count;

    public IEnumerable<KeyValuePair<object, object>> Entries => _entries;

    public IReadOnlyList<object> Keys => _entries.Keys;

    public IReadOnlyList<object> Values => _entries.Values;

    public void Set(object key, object value)
    {
        if (!IsHashable(key))
        {
            throw new RenderException($"unhashable type: '{TypeNames.Of(key)}'");
        }

        _entries[key] = value;
    }

    public object? Find(object key) => IsHashable(key) && _entries.TryGetValue(key, out object? value) ? value : null;

    public object? Find(string key) => Find(new MarkedString(key, trusted: false));

    /// <summary>Scalars and tuples of scalars. Python also takes tuples of tuples; hashing those would need a bound of its own.</summary>
    public static bool IsHashable(object key) => key is TupleValue tuple ? Array.TrueForAll(tuple.Items, IsScalar) : IsScalar(key);

    private static bool IsScalar(object key) => key is MarkedString or BigInteger or double or bool or NoneValue;

    /// <summary>Equality of keys as Python has it: 1, 1.0 and True are one key.</summary>
    internal sealed class KeyComparer : IEqualityComparer<object>
    {
        public static readonly KeyComparer Instance = new();

        public new bool Equals(object? x, object? y)
        {
            if (x is TupleValue a && y is TupleValue b)
            {
                return a.Items.AsSpan().SequenceEqual(b.Items, this);
            }

            return Numbers.IsNumber(x!) && Numbers.IsNumber(y!) ? Numbers.Compare(x!, y!) == 0 : object.Equals(x, y);
        }

        public int GetHashCode(object key)
        {
            if (key is TupleValue tuple)
            {
                var hash = default(HashCode);
                foreach (object item in tuple.Items)
                {
                    hash.Add(GetHashCode(item));
                }

                return hash.ToHashCode();
            }

            return key switch
            {
                bool flag => flag ? BigInteger.One.GetHashCode() : BigInteger.Zero.GetHashCode(),
                double number when double.IsInteger(number) => new BigInteger(number).GetHashCode(),
                _ => key.GetHashCode(),
            };
        }
    }
}

internal enum DictViewKind
{
    Keys,
    Values,
    Items,
}

/// <summary>What <c>keys()</c>, <c>values()</c> and <c>items()</c> give.</summary>
internal sealed class DictView(DictValue dict, DictViewKind kind)
{
    public int Count => dict.Count;

    public DictViewKind Kind => kind;

    public IEnumerable<object> Items() => kind switch
    {
        DictViewKind.Keys => dict.Keys,
        DictViewKind.Values => dict.Values,
        _ => dict.Entries.Select(static entry => (object)new TupleValue(entry.Key, entry.Value)),
    };
}
