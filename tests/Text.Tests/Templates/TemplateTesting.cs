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

    /// <summary>A conversation of a fixture: its fields but the three that a request has are further variables.</summary>
    public static ChatTemplateInput Conversation(JsonElement conversation, JsonElement root)
    {
        Dictionary<string, JsonElement> rest = conversation.EnumerateObject()
            .Where(property => property.Name is not ("messages" or "tools" or "add_generation_prompt"))
            .ToDictionary(property => property.Name, property => property.Value);
        return new ChatTemplateInput
        {
            MessagesJson = Utf8(conversation.GetProperty("messages")),
            ToolsJson = conversation.TryGetProperty("tools", out JsonElement tools) ? Utf8(tools) : default(ReadOnlyMemory<byte>),
            ArgumentsJson = JsonSerializer.SerializeToUtf8Bytes(rest),
            AddGenerationPrompt = !conversation.TryGetProperty("add_generation_prompt", out JsonElement flag) || flag.GetBoolean(),
            BosToken = root.GetProperty("bos_token").GetString(),
            EosToken = root.GetProperty("eos_token").GetString(),
        };
    }

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
