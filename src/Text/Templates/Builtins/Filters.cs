using System.Numerics;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>Jinja's filters, by name. Left out are those that make HTML (urlize, xmlattr, striptags) or chance (random).</summary>
internal static class Filters
{
    private static readonly Dictionary<string, FilterFunction> Table = new(StringComparer.Ordinal)
    {
        ["tojson"] = JsonFilter.Apply,
        ["string"] = Bare("string", (value, context) => PythonText.Str(value, context)),
        ["safe"] = Bare("safe", (value, context) => PythonText.Str(value, context)),
        ["default"] = Default,
        ["d"] = Default,
        ["length"] = Bare("length", (value, _) => (BigInteger)Iteration.LengthOf(value)),
        ["count"] = Bare("count", (value, _) => (BigInteger)Iteration.LengthOf(value)),
        ["attr"] = Attribute,

        ["abs"] = Bare("abs", (value, _) => NumberFilters.Absolute(value)),
        ["int"] = NumberFilters.Int,
        ["float"] = NumberFilters.Float,
        ["round"] = NumberFilters.Round,
        ["sum"] = NumberFilters.Sum,
        ["filesizeformat"] = NumberFilters.FileSize,

        ["trim"] = (value, arguments, context) =>
            StringEditing.Strip(PythonText.Str(value, context), arguments.Bind("trim", 0, "chars")[0], left: true, right: true),
        ["upper"] = Bare("upper", (value, context) => LetterCase.Upper(PythonText.Str(value, context), context)),
        ["lower"] = Bare("lower", (value, context) => LetterCase.Lower(PythonText.Str(value, context), context)),
        ["capitalize"] = Bare("capitalize", (value, context) => LetterCase.Capitalize(PythonText.Str(value, context), context)),
        ["title"] = Bare("title", (value, context) => LetterCase.TitleWords(PythonText.Str(value, context), context)),
        ["replace"] = TextFilters.Replace,
        ["indent"] = TextFilters.Indent,
        ["truncate"] = TextFilters.Truncate,
        ["center"] = TextFilters.Center,
        ["wordcount"] = Bare("wordcount", TextFilters.WordCount),
        ["wordwrap"] = TextFilters.WordWrap,
        ["format"] = (value, arguments, context) => TextFilters.Format(value, arguments, context),
        ["urlencode"] = TextFilters.UrlEncode,
        ["escape"] = Bare("escape", TextFilters.Escape),
        ["e"] = Bare("e", TextFilters.Escape),
        ["forceescape"] = Bare("forceescape", TextFilters.Escape),
        ["pprint"] = Bare("pprint", (value, context) => PythonText.Repr(value, context)),

        ["list"] = Bare("list", (value, context) => new ListValue(Iteration.ToArray(value, context))),
        ["first"] = Bare("first", ListFilters.First),
        ["last"] = Bare("last", ListFilters.Last),
        ["join"] = ListFilters.Join,
        ["reverse"] = Bare("reverse", ListFilters.Reverse),
        ["items"] = Bare("items", ListFilters.Items),
        ["batch"] = ListFilters.Batch,
        ["slice"] = ListFilters.Slice,
        ["map"] = SelectionFilters.Map,
        ["select"] = (value, arguments, context) => SelectionFilters.Select(value, arguments, context, wanted: true, byAttribute: false),
        ["reject"] = (value, arguments, context) => SelectionFilters.Select(value, arguments, context, wanted: false, byAttribute: false),
        ["selectattr"] = (value, arguments, context) => SelectionFilters.Select(value, arguments, context, wanted: true, byAttribute: true),
        ["rejectattr"] = (value, arguments, context) => SelectionFilters.Select(value, arguments, context, wanted: false, byAttribute: true),
        ["sort"] = OrderingFilters.Sort,
        ["dictsort"] = OrderingFilters.DictSort,
        ["unique"] = OrderingFilters.Unique,
        ["groupby"] = OrderingFilters.GroupBy,
        ["min"] = (value, arguments, context) => OrderingFilters.Extreme(value, arguments, context, sign: -1),
        ["max"] = (value, arguments, context) => OrderingFilters.Extreme(value, arguments, context, sign: 1),
    };

    public static FilterFunction? Find(string name) => Table.GetValueOrDefault(name);

    /// <summary>A filter that takes no argument, and refuses one as Python does.</summary>
    private static FilterFunction Bare(string name, Func<object, RenderContext, object> filter) => (value, arguments, context) =>
    {
        arguments.Bind(name, 0);
        return filter(value, context);
    };

    private static object Attribute(object value, Arguments arguments, RenderContext context)
    {
        string name = Arguments.Text(arguments.Bind("attr", 1, "name")[0]!, "attr() argument").Text;
        return value is UndefinedValue undefined ? throw undefined.Fail() : Subscript.FindAttribute(value, name) ?? UndefinedValue.Attribute(value, name);
    }

    private static object Default(object value, Arguments arguments, RenderContext context)
    {
        object?[] bound = arguments.Bind("default", 0, "default_value", "boolean");
        bool isMissing = value is UndefinedValue || (Arguments.Flag(bound[1]) && !Operators.IsTrue(value));
        return isMissing ? bound[0] ?? MarkedString.Empty : value;
    }
}
