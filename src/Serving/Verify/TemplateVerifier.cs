using System.Text.Json.Nodes;
using Serving.Text.Templates;

namespace Serving.Cli.Verify;

/// <summary>
/// Chat templates against what transformers made of them: <c>{bos_token, eos_token, templates, cases, rendered}</c>, where a row of
/// <c>rendered</c> names a template and a case and holds the <c>text</c>, or the <c>error</c> where the reference refused.
/// </summary>
internal static class TemplateVerifier
{
    public static IEnumerable<VerifiedRow> Compare(GoldenField root)
    {
        foreach (var row in root.Required("rendered").Items())
        {
            var template = row.Required("template").Text();
            var chat = row.Required("case").Text();
            var source = Find(root.Required("templates"), row, template).Text();
            var input = Input(root, Find(root.Required("cases"), row, chat));
            var comparison = row.Optional("error") is { } error
                ? CompareError(error.Text(), source, input)
                : CompareText(row.Required("text").Text(), source, input);
            yield return new VerifiedRow($"{template}/{chat}", [comparison]);
        }
    }

    private static GoldenField Find(GoldenField table, GoldenField row, string name) =>
        table.Optional(name) ?? throw row.Wrong($"names '{name}', which is not in {table.Path}");

    private static ChatTemplateInput Input(GoldenField root, GoldenField chat) => new()
    {
        MessagesJson = chat.Required("messages").Utf8(),
        ToolsJson = chat.Optional("tools")?.Utf8() ?? default(ReadOnlyMemory<byte>),
        ArgumentsJson = chat.Utf8Except("messages", "tools", "add_generation_prompt"),
        AddGenerationPrompt = chat.Optional("add_generation_prompt")?.Flag() ?? true,
        BosToken = root.Optional("bos_token")?.Text(),
        EosToken = root.Optional("eos_token")?.Text(),
    };

    private static Comparison CompareText(string expected, string source, ChatTemplateInput input)
    {
        try
        {
            return Comparison.Of("text", expected, Render(source, input));
        }
        catch (TemplateException e)
        {
            return new Comparison("text", expected, new JsonObject { ["error"] = e.Message });
        }
    }

    /// <summary>What a template raises are its own words; the words of other errors are Python's, and any error will do.</summary>
    private static Comparison CompareError(string expected, string source, ChatTemplateInput input)
    {
        try
        {
            return new Comparison("error", expected, new JsonObject { ["text"] = Render(source, input) });
        }
        catch (TemplateException e) when (e.Kind is TemplateErrorKind.Syntax or TemplateErrorKind.Render)
        {
            return Comparison.Of("error", expected, expected);
        }
        catch (TemplateException e)
        {
            return Comparison.Of("error", expected, e.Reason);
        }
    }

    private static string Render(string source, ChatTemplateInput input) => ChatTemplate.Parse(source).Render(input).Text;
}
