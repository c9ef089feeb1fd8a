using System.Text.Json;
using Serving.Text.Templates;
using static Serving.Text.Tests.Templates.TemplateTesting;

namespace Serving.Text.Tests.Templates;

/// <summary>Against what Hugging Face's transformers and Jinja2 themselves render.</summary>
public sealed class ReferenceTests
{
    [Fact]
    public void Renders_every_chat_as_transformers_does()
    {
        using JsonDocument fixture = Fixture("chat-templates.json");
        JsonElement root = fixture.RootElement;
        var failures = new List<string>();
        int rows = 0;
        foreach (JsonElement row in root.GetProperty("rendered").EnumerateArray())
        {
            rows++;
            string name = row.GetProperty("template").GetString()!;
            string chat = row.GetProperty("case").GetString()!;
            ChatTemplate template = ChatTemplate.Parse(root.GetProperty("templates").GetProperty(name).GetString()!);
            ChatTemplateInput input = Conversation(root.GetProperty("cases").GetProperty(chat), root);
            Check($"{name}/{chat}", row, () => template.Render(input).Text, failures);
        }

        Assert.Equal(72, rows);
        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    [Fact]
    public void Renders_every_small_template_as_Jinja2_does()
    {
        using JsonDocument fixture = Fixture("jinja-rows.json");
        Dictionary<string, JsonElement> variables = fixture.RootElement.GetProperty("variables").EnumerateObject().ToDictionary(p => p.Name, p => p.Value);
        var input = new ChatTemplateInput
        {
            MessagesJson = Utf8(variables["messages"]),
            ArgumentsJson = JsonSerializer.SerializeToUtf8Bytes(variables.Where(p => p.Key is not ("messages" or "tools")).ToDictionary()),
        };
        var failures = new List<string>();
        foreach (JsonElement row in fixture.RootElement.GetProperty("rows").EnumerateArray())
        {
            string source = row[0].GetString()!;
            string? expected = row[1].GetString();
            string? actual;
            try
            {
                actual = ChatTemplate.Parse(source).Render(input).Text;
            }
            catch (TemplateException exception)
            {
                actual = null;
                if (expected is not null)
                {
                    failures.Add($"{source}\n  expected {JsonSerializer.Serialize(expected)}\n  threw {exception.Message}");
                    continue;
                }
            }

            if (actual != expected)
            {
                failures.Add($"{source}\n  expected {JsonSerializer.Serialize(expected)}\n  actual {JsonSerializer.Serialize(actual)}");
            }
        }

        Assert.True(failures.Count == 0, $"{failures.Count} rows differ\n" + string.Join("\n", failures));
    }

    private static void Check(string name, JsonElement row, Func<string> render, List<string> failures)
    {
        string? error = row.TryGetProperty("error", out JsonElement message) ? message.GetString() : null;
        try
        {
            string actual = render();
            string? difference = error is null ? Difference(row.GetProperty("text").GetString()!, actual) : $"expected the error '{error}'";
            if (difference is not null)
            {
                failures.Add($"{name}: {difference}");
            }
        }
        catch (TemplateException exception)
        {
            if (error != exception.Reason)
            {
                failures.Add($"{name}: expected {error ?? "a text"}, threw {exception.Message}");
            }
        }
    }
}
