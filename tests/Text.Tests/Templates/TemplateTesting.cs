using System.Text;
using System.Text.Json;
using Serving.Text.Templates;

namespace Serving.Text.Tests.Templates;

internal static class TemplateTesting
{
    public static JsonDocument Fixture(string name) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Fixtures", "templates", name)));

    public static byte[] Utf8(string json) => Encoding.UTF8.GetBytes(json);

    public static byte[] Utf8(JsonElement element) => JsonSerializer.SerializeToUtf8Bytes(element);

    public static PromptText Render(string template, string messages = "[]", string arguments = "{}") =>
        ChatTemplate.Parse(template).Render(new ChatTemplateInput { MessagesJson = Utf8(messages), ArgumentsJson = Utf8(arguments) });

    /// <summary>The text with its trusted parts between ⟦ and ⟧.</summary>
    public static string Marked(PromptText text)
    {
        var marked = new StringBuilder(text.Text);
        foreach (TextRange range in text.TrustedRanges.Reverse())
        {
            marked.Insert(range.End, '⟧').Insert(range.Start, '⟦');
        }

        return marked.ToString();
    }

    /// <summary>Where two long texts part, so that a failure can be read.</summary>
    public static string? Difference(string expected, string actual) =>
        expected == actual ? null : $"expected {JsonSerializer.Serialize(expected)}\n  actual {JsonSerializer.Serialize(actual)}";
}
