using System.Text.Json;
using Serving.TestKit;

namespace Serving.Engine.Tests;

/// <summary>A case of a golden file: a prompt and how the reference goes on.</summary>
internal sealed record GoldenCase(int[] PromptIds, int[] Greedy, float[] Margins);

/// <summary>Reads the golden files beside the tests.</summary>
internal static class GoldenFixtures
{
    public static string Path(params string[] parts) => System.IO.Path.Combine([Repository.Root, "tests", "Engine.Tests", "Fixtures", .. parts]);

    public static JsonElement Json(params string[] parts) => JsonDocument.Parse(File.ReadAllBytes(Path(parts))).RootElement;

    public static SafetensorsFile Tensors(params string[] parts) => new(Path(parts));

    /// <summary>Reads a case whose one margin holds for all its tokens, or that has one for each.</summary>
    public static GoldenCase Case(JsonElement element, string promptProperty)
    {
        int[] greedy = Int32s(element.GetProperty("greedy"));
        float[] margins = element.TryGetProperty("margins", out JsonElement each)
            ? [.. each.EnumerateArray().Select(margin => margin.GetSingle())]
            : [.. greedy.Select(_ => element.GetProperty("min_margin").GetSingle())];
        return new GoldenCase(Int32s(element.GetProperty(promptProperty)), greedy, margins);
    }

    private static int[] Int32s(JsonElement array) => [.. array.EnumerateArray().Select(id => id.GetInt32())];
}
