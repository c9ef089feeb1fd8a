using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>Filters on text.</summary>
internal static partial class TextFilters
{
    private const string Unreserved = "_.-~";

    public static object Replace(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("replace", 2, "old", "new", "count");
        MarkedString old = PythonText.Str(bound[0]!, context);
        MarkedString by = PythonText.Str(bound[1]!, context);
        return StringEditing.Replace(PythonText.Str(value, context), old, by, Arguments.IntOrNone(bound[2], -1), context);
    }

    /// <summary>Blanks that this adds are the template's where it gives them as a string.</summary>
    public static object Indent(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("indent", 0, "width", "first", "blank");
        MarkedString indention = bound[0] as MarkedString
            ?? context.NewBuilder().AppendRepeated(' ', Arguments.Int(bound[0], 4), trusted: false).ToMarkedString();
        bool blank = Arguments.Flag(bound[2]);
        var text = (MarkedString)Operators.Add(Text(value, "indent"), new MarkedString("\n", trusted: false), context);
        MarkedTextBuilder builder = context.NewBuilder();
        int index = 0;
        foreach (MarkedString line in StringSplitting.Lines(text, keepEnds: false, context))
        {
            bool indents = index == 0 ? Arguments.Flag(bound[1]) : blank || line.Length > 0;
            builder.Append(index++ == 0 ? "" : "\n", trusted: false).Append(indents ? indention : MarkedString.Empty).Append(line);
        }

        return builder.ToMarkedString();
    }

    public static object Truncate(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("truncate", 0, "length", "killwords", "end", "leeway");
        int length = Arguments.Int(bound[0], 255);
        MarkedString end = bound[2] is null ? new MarkedString("...", trusted: false) : Arguments.Text(bound[2]!, "truncate() end");
        int leeway = Arguments.IntOrNone(bound[3], 5);
        if (length < end.CodePointCount || leeway < 0)
        {
            throw new RenderException(leeway < 0 ? $"expected leeway >= 0, got {leeway}" : $"expected length >= {end.CodePointCount}, got {length}");
        }

        if (Iteration.LengthOf(value) <= (long)length + leeway)
        {
            return value;
        }

        MarkedString text = Text(value, "truncate");
        MarkedString cut = text.Slice(0, text.OffsetOf(length - end.CodePointCount));
        int space = Arguments.Flag(bound[1]) ? -1 : cut.Text.LastIndexOf(' ');
        return context.NewBuilder().Append(space < 0 ? cut : cut.Slice(0, space)).Append(end).ToMarkedString();
    }

    public static object Center(object value, Arguments arguments, RenderContext context)
    {
        object width = arguments.Bind("center", 0, "width")[0] ?? (BigInteger)80;
        return StringEditing.Pad(PythonText.Str(value, context), [width, null], '^', context);
    }

    public static object WordCount(object value, RenderContext context) =>
        (BigInteger)Word().Count(PythonText.Str(value, context).Text);

    /// <summary>Breaks lines at blanks, and inside words that are longer than a line.</summary>
    public static object WordWrap(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("wordwrap", 0, "width", "break_long_words", "wrapstring", "break_on_hyphens");
        int width = Math.Max(1, Arguments.Int(bound[0], 79));
        MarkedString newline = bound[2] is null or NoneValue ? new MarkedString("\n", trusted: false) : Arguments.Text(bound[2]!, "wrapstring");
        bool breaksWords = Arguments.Flag(bound[1], otherwise: true);
        bool breaksHyphens = Arguments.Flag(bound[3], otherwise: true);
        MarkedTextBuilder builder = context.NewBuilder();
        bool first = true;
        foreach (MarkedString line in StringSplitting.Lines(Text(value, "wordwrap"), keepEnds: false, context))
        {
            builder.Append(first ? MarkedString.Empty : newline);
            TextWrap.Wrap(line, width, breaksWords, breaksHyphens, newline, builder, context);
            first = false;
        }

        return builder.ToMarkedString();
    }

    public static object Format(object value, Arguments arguments, RenderContext context)
    {
        if (arguments.Positional.Length > 0 && arguments.Named.Length > 0)
        {
            throw new RenderException("can't handle positional and keyword arguments at the same time");
        }

        DictValue? mapping = null;
        if (arguments.Named.Length > 0)
        {
            mapping = new DictValue();
            foreach ((string name, object item) in arguments.Named)
            {
                mapping.Set(new MarkedString(name, trusted: true), item);
            }
        }

        return PrintfFormat.Apply(PythonText.Str(value, context), arguments, mapping, context);
    }

    public static object UrlEncode(object value, Arguments arguments, RenderContext context)
    {
        if (value is MarkedString || !Iteration.IsIterable(value))
        {
            return Quote(PythonText.Str(value, context), forQuery: false, context);
        }

        object pairs = value is DictValue dict ? new DictView(dict, DictViewKind.Items) : value;
        MarkedTextBuilder builder = context.NewBuilder();
        foreach (object pair in Iteration.Over(pairs, context))
        {
            if (Iteration.ToArray(pair, context) is not [object key, object item])
            {
                throw new RenderException("urlencode needs pairs of key and value");
            }

            builder.Append(builder.Length > 0 ? "&" : "", trusted: false)
                .Append(Quote(PythonText.Str(key, context), forQuery: true, context))
                .Append("=", trusted: false)
                .Append(Quote(PythonText.Str(item, context), forQuery: true, context));
        }

        return builder.ToMarkedString();
    }

    public static object Escape(object value, RenderContext context)
    {
        MarkedString text = PythonText.Str(value, context);
        MarkedTextBuilder builder = context.NewBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            string? entity = text.Text[i] switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '\'' => "&#39;",
                '"' => "&#34;",
                _ => null,
            };
            if (entity is null)
            {
                builder.Append(text, i, 1);
            }
            else
            {
                builder.Append(entity, trusted: false);
            }
        }

        return builder.ToMarkedString();
    }

    /// <summary>These filters, unlike most, do not turn what they are given into text.</summary>
    private static MarkedString Text(object value, string filter) => value switch
    {
        MarkedString text => text,
        UndefinedValue undefined => throw undefined.Fail(),
        _ => throw new RenderException($"{filter} needs text, not '{TypeNames.Of(value)}'"),
    };

    private static MarkedString Quote(MarkedString text, bool forQuery, RenderContext context)
    {
        MarkedTextBuilder builder = context.NewBuilder();
        foreach (byte octet in Encoding.UTF8.GetBytes(text.Text))
        {
            char character = (char)octet;
            bool stays = char.IsAsciiLetterOrDigit(character) || Unreserved.Contains(character, StringComparison.Ordinal) || (character == '/' && !forQuery);
            builder.Append(stays ? character.ToString() : forQuery && character == ' ' ? "+" : $"%{octet:X2}", trusted: false);
        }

        return builder.ToMarkedString();
    }

    [GeneratedRegex(@"\w+", RegexOptions.CultureInvariant)]
    private static partial Regex Word();
}
