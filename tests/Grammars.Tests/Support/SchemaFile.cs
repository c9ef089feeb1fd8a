using System.Text.Json;

namespace Serving.Grammars.Tests.Support;

/// <summary>The 200 schemas of rising difficulty.</summary>
internal static class SchemaFile
{
    public static IReadOnlyList<JsonElement> All { get; } =
        [.. JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Schemas", "schemas.json"))).RootElement.EnumerateArray()];
}
