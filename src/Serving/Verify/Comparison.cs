using System.Text.Json.Nodes;

namespace Serving.Cli.Verify;

/// <summary>One column of one row: what the file says and what this program makes of it.</summary>
internal sealed record Comparison(string Column, JsonNode Expected, JsonNode Got)
{
    public bool Passed { get; } = JsonNode.DeepEquals(Expected, Got);

    public static Comparison Of(string column, string expected, string got) =>
        new(column, JsonValue.Create(expected), JsonValue.Create(got));

    public static Comparison Of(string column, IEnumerable<int> expected, IEnumerable<int> got) =>
        new(column, new JsonArray([.. expected.Select(id => (JsonNode)id)]), new JsonArray([.. got.Select(id => (JsonNode)id)]));

    public static Comparison Of(string column, IEnumerable<string> expected, IEnumerable<string> got) =>
        new(column, new JsonArray([.. expected.Select(text => (JsonNode)text)]), new JsonArray([.. got.Select(text => (JsonNode)text)]));
}

/// <param name="Name">What the row is about, where its number alone says little.</param>
internal sealed record VerifiedRow(string? Name, IReadOnlyList<Comparison> Comparisons);
