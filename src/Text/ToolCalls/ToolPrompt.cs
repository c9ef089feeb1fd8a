using System.Text;
using Serving.Text.Templates;

namespace Serving.Text.ToolCalls;

/// <summary>
/// Fits tools, calls and their results to what a model's chat template renders; a trial at the start finds out what that is. Templates take a call's
/// arguments as an object, as transformers has them, or as the string that OpenAI's API has. For a template that knows no tools, Hermes's form is written
/// into the messages: a system message describes the tools, calls are text of the assistant, results text of the user.
/// </summary>
public sealed class ToolPrompt
{
    private const string Name = "probe_function";
    private const string Key = "probe_key";

    // Mistral's templates take ids of nine letters and digits only.
    private const string Id = "probe0000";

    private readonly bool _takesObjects;

    private ToolPrompt(bool rendersTools, bool takesObjects)
    {
        RendersTools = rendersTools;
        _takesObjects = takesObjects;
    }

    /// <summary>Whether the template renders tools itself.</summary>
    public bool RendersTools { get; }

    /// <summary>Tries the template out.</summary>
    /// <param name="template">The model's chat template.</param>
    /// <param name="bosToken">As in <see cref="ChatTemplateInput.BosToken"/>.</param>
    /// <param name="eosToken">As in <see cref="ChatTemplateInput.EosToken"/>.</param>
    public static ToolPrompt Of(ChatTemplate template, string? bosToken, string? eosToken)
    {
        ArgumentNullException.ThrowIfNull(template);
        if (!template.UsesTools)
        {
            return new ToolPrompt(rendersTools: false, takesObjects: false);
        }

        // A template that refuses the trial for another reason may take what clients send.
        bool rendersTools = Try("""[{"role":"user","content":"x"}]""") is not { } text || text.Contains(Name, StringComparison.Ordinal);
        string arguments = $$"""{"{{Key}}": "x"}""";
        return new ToolPrompt(rendersTools, takesObjects: Reads(arguments) || !Reads($"\"{arguments.Replace("\"", "\\\"", StringComparison.Ordinal)}\""));

        // Whether the arguments come out as they are, not as a string's escapes or as Python prints a dictionary.
        bool Reads(string arguments) =>
            Try($$$"""
                [{"role":"user","content":"x"},
                 {"role":"assistant","content":"","tool_calls":[{"id":"{{{Id}}}","type":"function","function":{"name":"{{{Name}}}","arguments":{{{arguments}}}}}]},
                 {"role":"tool","tool_call_id":"{{{Id}}}","content":"x"}]
                """) is { } text
            && (text.Contains($"\"{Key}\"", StringComparison.Ordinal) || text.Contains($"{Key}=", StringComparison.Ordinal) || text.Contains($"{Key}>", StringComparison.Ordinal));

        string? Try(string messages)
        {
            try
            {
                return template.Render(new ChatTemplateInput
                {
                    MessagesJson = Encoding.UTF8.GetBytes(messages),
                    ToolsJson = Encoding.UTF8.GetBytes(
                        $$"""[{"type":"function","function":{"name":"{{Name}}","description":"x","parameters":{"type":"object","properties":{} } } }]"""),
                    BosToken = bosToken,
                    EosToken = eosToken,
                }).Text;
            }
            catch (TemplateException)
            {
                return null;
            }
        }
    }

    /// <summary>The same conversation as the template can render it.</summary>
    /// <param name="input">Messages as OpenAI's API has them: a call's arguments are a string.</param>
    /// <exception cref="TemplateException">Messages or tools are not valid JSON.</exception>
    public ChatTemplateInput Fit(ChatTemplateInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        bool hasCalls = input.MessagesJson.Span.IndexOf("\"tool_call"u8) >= 0;
        if (RendersTools)
        {
            return hasCalls && _takesObjects ? input with { MessagesJson = ToolMessages.WithObjects(input.MessagesJson) } : input;
        }

        return hasCalls || !input.ToolsJson.IsEmpty
            ? input with { MessagesJson = ToolMessages.InHermesForm(input.MessagesJson, input.ToolsJson), ToolsJson = default }
            : input;
    }
}
