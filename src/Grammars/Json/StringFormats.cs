using System.Collections.Frozen;

namespace Serving.Grammars.Json;

/// <summary>
/// Formats of strings as regular expressions. Each is a part of what the format admits, chosen so that every validator agrees: no leap seconds or 29 February,
/// no quoted local part in an address, no unusual forms of addresses. Parts are short, so that a model that rambles comes to an end.
/// </summary>
internal static class StringFormats
{
    private const string Date = "[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))";
    private const string Time = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])";
    private const string Label = "[A-Za-z0-9]([A-Za-z0-9-]{0,20}[A-Za-z0-9])?";
    private const string Host = $"{Label}(\\.{Label}){{0,3}}\\.[A-Za-z]{{2,10}}";
    private const string Octet = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
    private const string Group = "[0-9a-f]{1,4}";
    private const string Word = "[A-Za-z0-9._~-]{1,24}";

    private static readonly FrozenDictionary<string, string> _regexes = new Dictionary<string, string>
    {
        ["date-time"] = $"{Date.Replace("[0-9]{4}", "(19|20)[0-9]{2}", StringComparison.Ordinal)}T{Time}",
        ["date"] = Date.Replace("[0-9]{4}", "(19|20)[0-9]{2}", StringComparison.Ordinal),
        ["time"] = Time,
        ["duration"] = "P([1-9][0-9]{0,3}D|([1-9][0-9]{0,3}D)?T([1-9][0-9]{0,3}H([1-9][0-9]{0,3}M([1-9][0-9]{0,3}S)?)?|[1-9][0-9]{0,3}M([1-9][0-9]{0,3}S)?|[1-9][0-9]{0,3}S)|[1-9][0-9]{0,3}W)",
        ["email"] = $"[A-Za-z0-9]{{1,20}}([._+-][A-Za-z0-9]{{1,20}}){{0,2}}@{Host}",
        ["hostname"] = Host,
        ["ipv4"] = $"{Octet}(\\.{Octet}){{3}}",
        ["ipv6"] = $"({Group}:){{7}}{Group}|({Group}:){{1,5}}(:{Group}){{1,2}}|::({Group}:){{0,5}}{Group}|::",
        ["uuid"] = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        ["uri"] = $"https?://{Host}(:[1-9][0-9]{{1,3}})?(/{Word}){{0,8}}/?(\\?{Word}(={Word})?(&{Word}(={Word})?){{0,8}})?(#{Word})?",
        ["json-pointer"] = "(/[A-Za-z0-9._-]{0,24}){0,8}",
    }.ToFrozenDictionary();

    public static string Names => string.Join(", ", _regexes.Keys.Order(StringComparer.Ordinal));

    /// <summary>What the whole string matches; null: the format is not held.</summary>
    public static string? Regex(string format) => _regexes.GetValueOrDefault(format);

    /// <summary>OpenAPI's notes on the width of numbers, which change nothing in JSON.</summary>
    public static bool IsOfNumbers(string format) => format is "int32" or "int64" or "float" or "double";
}
