using System.Globalization;
using System.Numerics;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>
/// <c>tojson</c> as Hugging Face defines it for chat templates: Python's <c>json.dumps</c> without escapes for HTML or, by default,
/// for characters beyond ASCII. Strings keep their marks, all else is untrusted.
/// </summary>
internal sealed class JsonFilter
{
    private readonly MarkedTextBuilder _builder;
    private readonly RenderBudget _budget;
    private readonly bool _ascii;
    private readonly bool _sorts;
    private readonly MarkedString? _indent;
    private readonly MarkedString _itemSeparator;
    private readonly MarkedString _keySeparator;

    private JsonFilter(object?[] bound, RenderContext context)
    {
        _builder = context.NewBuilder();
        _budget = context.Budget;
        _ascii = Arguments.Flag(bound[0]);
        _indent = bound[1] switch
        {
            null or NoneValue => null,
            MarkedString text => text,
            object count => new MarkedString(new string(' ', Math.Clamp(Numbers.ToIndex(count), 0, 1000)), trusted: false),
        };
        (_itemSeparator, _keySeparator) = (Text(_indent is null ? ", " : ","), Text(": "));
        if (bound[2] is not (null or NoneValue))
        {
            object[] separators = Iteration.ToArray(bound[2]!, context);
            if (separators is not [MarkedString item, MarkedString key])
            {
                throw new RenderException("tojson: separators must be two strings");
            }

            (_itemSeparator, _keySeparator) = (item, key);
        }

        _sorts = Arguments.Flag(bound[3]);
    }

    public static MarkedString Apply(object value, Arguments arguments, RenderContext context)
    {
        var filter = new JsonFilter(arguments.Bind("tojson", 0, "ensure_ascii", "indent", "separators", "sort_keys"), context);
        filter.Write(value, 0);
        return filter._builder.ToMarkedString();
    }

    private void Write(object value, int level)
    {
        _budget.Enter();
        switch (value)
        {
            case MarkedString text:
                WriteString(text);
                break;
            case SequenceValue sequence:
                WriteContainer("[", "]", sequence.Items, level, item => Write(item, level + 1));
                break;
            case DictValue dict:
                WriteContainer("{", "}", Entries(dict), level, entry =>
                {
                    WriteString(Key(entry.Key));
                    _builder.Append(_keySeparator);
                    Write(entry.Value, level + 1);
                });
                break;
            default:
                _builder.Append(Scalar(value), trusted: false);
                break;
        }

        _budget.Exit();
    }

    private void WriteContainer<T>(string open, string close, IReadOnlyCollection<T> items, int level, Action<T> write)
    {
        _builder.Append(open, trusted: false);
        bool first = true;
        foreach (T item in items)
        {
            _builder.Append(first ? MarkedString.Empty : _itemSeparator);
            WriteNewline(level + 1);
            write(item);
            first = false;
        }

        if (!first)
        {
            WriteNewline(level);
        }

        _builder.Append(close, trusted: false);
    }

    private void WriteNewline(int level)
    {
        if (_indent is null)
        {
            return;
        }

        _builder.Append("\n", trusted: false);
        for (int i = 0; i < level; i++)
        {
            _builder.Append(_indent);
        }
    }

    private KeyValuePair<object, object>[] Entries(DictValue dict)
    {
        KeyValuePair<object, object>[] entries = [.. dict.Entries];
        return _sorts ? Sorting.Sorted(entries, static entry => entry.Key, reverse: false, _budget) : entries;
    }

    private static MarkedString Key(object key) => key switch
    {
        MarkedString text => text,
        TupleValue => throw new RenderException("keys must be str, int, float, bool or None, not tuple"),
        _ => Text(Scalar(key)),
    };

    private static MarkedString Text(string text) => new(text, trusted: false);

    private static string Scalar(object value) => value switch
    {
        bool flag => flag ? "true" : "false",
        NoneValue => "null",
        BigInteger number => number.ToString(CultureInfo.InvariantCulture),
        double number when double.IsNaN(number) => "NaN",
        double number when double.IsInfinity(number) => number > 0 ? "Infinity" : "-Infinity",
        double number => PythonText.Float(number),
        _ => throw new RenderException($"Object of type {TypeNames.Of(value)} is not JSON serializable"),
    };

    private void WriteString(MarkedString text)
    {
        _builder.Append("\"", trusted: false);
        int plain = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (Escape(text.Text[i]) is string escape)
            {
                _builder.Append(text, plain, i - plain).Append(escape, trusted: false);
                plain = i + 1;
            }
        }

        _builder.Append(text, plain, text.Length - plain).Append("\"", trusted: false);
    }

    private string? Escape(char character) => character switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\f' => "\\f",
        '\b' => "\\b",
        < ' ' => $"\\u{(int)character:x4}",
        > '~' when _ascii => $"\\u{(int)character:x4}",
        _ => null,
    };
}
