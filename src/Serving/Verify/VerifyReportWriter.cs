using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serving.Cli.Verify;

/// <summary>Shows a report to people or programs. Values are written as JSON, so that no control character reaches a terminal.</summary>
internal static class VerifyReportWriter
{
    private const int CharsBefore = 40;
    private const int CharsAfter = 80;
    private const int ItemsBefore = 5;
    private const int ItemsAfter = 10;

    private static readonly JsonSerializerOptions _readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One object: <c>{"rows", "failed", "misses": [{"row", "name"?, "column", "expected", "got"}]}</c>.</summary>
    public static void WriteJson(VerifyReport report, TextWriter output) => output.WriteLine(new JsonObject
    {
        ["rows"] = report.Rows,
        ["failed"] = report.Failed,
        ["misses"] = new JsonArray([.. report.Misses.Select(ToJson)]),
    }.ToJsonString(_readable));

    public static void WriteText(VerifyReport report, TextWriter output)
    {
        var width = report.Columns.Keys.Max(column => column.Length);
        foreach (var (column, (passed, rows)) in report.Columns)
        {
            output.WriteLine($"{column.PadRight(width)}  {passed} of {rows} passed");
        }

        foreach (var miss in report.Misses)
        {
            WriteMiss(miss, output);
        }

        if (report.MissCount > report.Misses.Count)
        {
            output.WriteLine($"{report.MissCount - report.Misses.Count} more: --all shows every miss.");
        }

        output.WriteLine(report.Failed == 0 ? $"All {report.Rows} rows passed." : $"{report.Failed} of {report.Rows} rows failed.");
    }

    private static JsonObject ToJson(Miss miss)
    {
        var json = new JsonObject { ["row"] = miss.Row };
        if (miss.Name is not null)
        {
            json["name"] = miss.Name;
        }

        json["column"] = miss.Comparison.Column;
        json["expected"] = miss.Comparison.Expected;
        json["got"] = miss.Comparison.Got;
        return json;
    }

    private static void WriteMiss(Miss miss, TextWriter output)
    {
        var (column, expected, got) = miss.Comparison;
        var (place, difference) = (expected, got) switch
        {
            (JsonArray a, JsonArray b) => ("item", CommonLength<string>([.. a.Select(Compact!)], [.. b.Select(Compact!)])),
            _ when TextOf(expected) is { } a && TextOf(got) is { } b => ("character", CommonLength<char>(a, b)),
            _ => ("", 0),
        };
        var name = miss.Name is null ? "" : " " + Compact(miss.Name);
        var from = place.Length == 0 ? "" : $", from {place} {difference} on";
        output.WriteLine($"row {miss.Row}{name}, {column}{from}:");
        output.WriteLine($"  expected {Excerpt(expected, difference)}");
        output.WriteLine($"  got      {Excerpt(got, difference)}");
    }

    private static int CommonLength<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b) => a.CommonPrefixLength(b);

    private static string Excerpt(JsonNode value, int difference) => value switch
    {
        JsonArray items => Excerpt(items, difference),
        JsonObject outcome => string.Join(", ", outcome.Select(field => $"{field.Key}: {Excerpt(field.Value!, 0)}")),
        _ => TextOf(value) is { } text ? Excerpt(text, difference) : Compact(value),
    };

    private static string Excerpt(JsonArray items, int difference)
    {
        var (start, end) = (Math.Max(0, difference - ItemsBefore), Math.Min(items.Count, difference + ItemsAfter));
        var shown = items.Take(start..end).Select(item => Excerpt(item!, 0));
        return $"[{(start > 0 ? "…, " : "")}{string.Join(", ", shown)}{(end < items.Count ? ", …" : "")}]";
    }

    private static string Excerpt(string text, int difference)
    {
        var start = WholeCharacter(text, Math.Max(0, difference - CharsBefore));
        var end = WholeCharacter(text, Math.Min(text.Length, difference + CharsAfter));
        return $"{(start > 0 ? "…" : "")}{Compact(text[start..end])}{(end < text.Length ? "…" : "")}";
    }

    private static int WholeCharacter(string text, int index) =>
        index > 0 && index < text.Length && char.IsLowSurrogate(text[index]) ? index - 1 : index;

    private static string? TextOf(JsonNode node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static string Compact(JsonNode node) => node.ToJsonString(_readable);
}
