using System.Numerics;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>The methods of Python's <c>str</c>.</summary>
internal static class StringMethods
{
    private delegate object Method(MarkedString text, Arguments arguments, RenderContext context);

    private static readonly Dictionary<string, Method> Table = new(StringComparer.Ordinal)
    {
        ["strip"] = (text, arguments, _) => StringEditing.Strip(text, arguments.Bind("strip", 0, "chars")[0], left: true, right: true),
        ["lstrip"] = (text, arguments, _) => StringEditing.Strip(text, arguments.Bind("lstrip", 0, "chars")[0], left: true, right: false),
        ["rstrip"] = (text, arguments, _) => StringEditing.Strip(text, arguments.Bind("rstrip", 0, "chars")[0], left: false, right: true),
        ["removeprefix"] = (text, arguments, _) => StringEditing.RemovePrefix(text, arguments.Bind("removeprefix", 1, "prefix")[0]!),
        ["removesuffix"] = (text, arguments, _) => StringEditing.RemoveSuffix(text, arguments.Bind("removesuffix", 1, "suffix")[0]!),
        ["replace"] = (text, arguments, context) =>
        {
            object?[] bound = arguments.Bind("replace", 2, "old", "new", "count");
            return StringEditing.Replace(
                text, Arguments.Text(bound[0]!, "replace() argument 1"), Arguments.Text(bound[1]!, "replace() argument 2"), Arguments.Int(bound[2], -1), context);
        },
        ["join"] = (text, arguments, context) => StringEditing.Join(text, arguments.Bind("join", 1, "iterable")[0]!, context),
        ["split"] = (text, arguments, context) => StringSplitting.Split(text, arguments.Bind("split", 0, "sep", "maxsplit"), fromRight: false, context),
        ["rsplit"] = (text, arguments, context) => StringSplitting.Split(text, arguments.Bind("rsplit", 0, "sep", "maxsplit"), fromRight: true, context),
        ["splitlines"] = (text, arguments, context) =>
            new ListValue([.. StringSplitting.Lines(text, Arguments.Flag(arguments.Bind("splitlines", 0, "keepends")[0]), context)]),
        ["partition"] = (text, arguments, _) => StringSplitting.Partition(text, arguments.Bind("partition", 1, "sep")[0]!, last: false),
        ["rpartition"] = (text, arguments, _) => StringSplitting.Partition(text, arguments.Bind("rpartition", 1, "sep")[0]!, last: true),
        ["startswith"] = (text, arguments, context) => StringSearch.HasAffix(text, arguments.Bind("startswith", 1, "prefix", "start", "end"), atStart: true, context),
        ["endswith"] = (text, arguments, context) => StringSearch.HasAffix(text, arguments.Bind("endswith", 1, "suffix", "start", "end"), atStart: false, context),
        ["find"] = (text, arguments, context) => StringSearch.Find(text, arguments.Bind("find", 1, "sub", "start", "end"), last: false, context),
        ["rfind"] = (text, arguments, context) => StringSearch.Find(text, arguments.Bind("rfind", 1, "sub", "start", "end"), last: true, context),
        ["index"] = (text, arguments, context) => Found(StringSearch.Find(text, arguments.Bind("index", 1, "sub", "start", "end"), last: false, context)),
        ["rindex"] = (text, arguments, context) => Found(StringSearch.Find(text, arguments.Bind("rindex", 1, "sub", "start", "end"), last: true, context)),
        ["count"] = (text, arguments, context) => StringSearch.Count(text, arguments.Bind("count", 1, "sub", "start", "end"), context),
        ["upper"] = (text, _, context) => LetterCase.Upper(text, context),
        ["lower"] = (text, _, context) => LetterCase.Lower(text, context),
        ["casefold"] = (text, _, context) => LetterCase.Lower(text, context),
        ["capitalize"] = (text, _, context) => LetterCase.Capitalize(text, context),
        ["title"] = (text, _, context) => LetterCase.Title(text, context),
        ["swapcase"] = (text, _, context) => LetterCase.Swap(text, context),
        ["center"] = (text, arguments, context) => StringEditing.Pad(text, arguments.Bind("center", 1, "width", "fillchar"), '^', context),
        ["ljust"] = (text, arguments, context) => StringEditing.Pad(text, arguments.Bind("ljust", 1, "width", "fillchar"), '<', context),
        ["rjust"] = (text, arguments, context) => StringEditing.Pad(text, arguments.Bind("rjust", 1, "width", "fillchar"), '>', context),
        ["zfill"] = (text, arguments, context) => StringEditing.ZeroFill(text, Arguments.Int(arguments.Bind("zfill", 1, "width")[0], 0), context),
        ["expandtabs"] = (text, arguments, context) => StringEditing.ExpandTabs(text, Arguments.Int(arguments.Bind("expandtabs", 0, "tabsize")[0], 8), context),
        ["format"] = (text, arguments, context) => BraceFormat.Apply(text, arguments, context),
        ["format_map"] = (text, arguments, context) => BraceFormat.ApplyMap(text, arguments.Bind("format_map", 1, "mapping")[0]!, context),
        ["isalnum"] = (text, _, _) => StringSearch.All(text, char.IsLetterOrDigit),
        ["isalpha"] = (text, _, _) => StringSearch.All(text, char.IsLetter),
        ["isascii"] = (text, _, _) => text.Text.All(char.IsAscii),
        ["isdecimal"] = (text, _, _) => StringSearch.All(text, char.IsDigit),
        ["isdigit"] = (text, _, _) => StringSearch.All(text, char.IsDigit),
        ["isnumeric"] = (text, _, _) => StringSearch.All(text, char.IsNumber),
        ["isspace"] = (text, _, _) => StringSearch.All(text, PythonText.IsSpace),
        ["islower"] = (text, _, _) => LetterCase.IsLower(text),
        ["isupper"] = (text, _, _) => LetterCase.IsUpper(text),
        ["istitle"] = (text, _, context) => text.Text.Any(char.IsLetter) && LetterCase.Title(text, context).Text == text.Text,
    };

    public static Func<Arguments, RenderContext, object>? Find(MarkedString text, string name) =>
        Table.TryGetValue(name, out Method? method)
            ? (arguments, context) =>
            {
                context.Budget.ChargeScan(text.Length);
                if (TakesNothing(name))
                {
                    arguments.Bind(name, 0);
                }

                return method(text, arguments, context);
            }
    : null;

    private static bool TakesNothing(string name) =>
        name is "upper" or "lower" or "casefold" or "capitalize" or "title" or "swapcase" || name.StartsWith("is", StringComparison.Ordinal);

    private static object Found(object index) => index is BigInteger { Sign: < 0 } ? throw new RenderException("substring not found") : index;
}
