using System.Text;
using System.Text.Json;
using Serving.Text.Templates;
using Serving.Text.ToolCalls;

namespace Serving.Text.Tests.ToolCalls;

public sealed class ToolPromptTests
{
    private const string PlainTemplate =
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private const string Messages = """
        [{"role":"system","content":"Be brief."},{"role":"user","content":"Sums?"},
         {"role":"assistant","content":"Yes.","tool_calls":[
           {"id":"aaaaaaaa1","type":"function","function":{"name":"add","arguments":"{\"a\": 1.50, \"s\": \"\\u00e9\"}"}},
           {"id":"aaaaaaaa2","type":"function","function":{"name":"now","arguments":""}}]},
         {"role":"tool","content":"2","tool_call_id":"aaaaaaaa1"},{"role":"tool","content":"noon","tool_call_id":"aaaaaaaa2"}]
        """;

    private const string Tools = """[{"type":"function","function":{"name":"add","parameters":{"type":"object","properties":{}}}}]""";

    /// <summary>What a family's template takes.</summary>
    public static TheoryData<string, bool, bool> Families => new()
    {
        { "hermes-tools", true, true },
        { "qwen-tools", true, true },
        { "qwen-thinking", true, true },
        { "qwen-coder-xml", true, true },
        { "llama-json-tools", true, true },
        { "llama-vision-pythonic", true, true },
        { "mistral-tools", true, true },
        { "harmony", true, true },
        { "deepseek-reasoning", true, false },
        { "gemma-parts", false, false },
    };

    [Theory]
    [MemberData(nameof(Families))]
    public void A_trial_finds_out_what_a_template_takes(string family, bool rendersTools, bool takesObjects)
    {
        ChatTemplate template = Family(family);
        ToolPrompt prompt = ToolPrompt.Of(template, "<|bos|>", "<|eos|>");
        Assert.Equal(rendersTools, prompt.RendersTools);
        if (rendersTools)
        {
            ChatTemplateInput fitted = prompt.Fit(Input(Messages, Tools));
            using JsonDocument messages = JsonDocument.Parse(fitted.MessagesJson);
            JsonElement arguments = messages.RootElement[2].GetProperty("tool_calls")[0].GetProperty("function").GetProperty("arguments");
            Assert.Equal(takesObjects ? JsonValueKind.Object : JsonValueKind.String, arguments.ValueKind);
        }
    }

    [Fact]
    public void A_template_that_knows_no_tools_gets_them_in_the_messages()
    {
        ChatTemplate template = ChatTemplate.Parse(PlainTemplate);
        ToolPrompt prompt = ToolPrompt.Of(template, null, null);

        string text = template.Render(prompt.Fit(Input(Messages, Tools))).Text;

        Assert.False(prompt.RendersTools);
        string system = text[..text.IndexOf("<|im_end|>", StringComparison.Ordinal)];
        Assert.StartsWith("<|im_start|>system\nBe brief.\n\nYou can call functions.", system, StringComparison.Ordinal);
        Assert.Contains($"<tools>\n{Tools[1..^1]}\n</tools>", system, StringComparison.Ordinal);
        Assert.EndsWith(
            """
            <|im_start|>user
            Sums?<|im_end|>
            <|im_start|>assistant
            Yes.
            <tool_call>
            {"name": "add", "arguments": {"a": 1.50, "s": "\u00e9"}}
            </tool_call>
            <tool_call>
            {"name": "now", "arguments": {}}
            </tool_call><|im_end|>
            <|im_start|>user
            <tool_response>
            2
            </tool_response>
            <tool_response>
            noon
            </tool_response><|im_end|>
            <|im_start|>assistant

            """,
            text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_model_of_the_default_form_reads_it_may_write()
    {
        ChatTemplateInput fitted = ToolPrompt.Of(ChatTemplate.Parse(PlainTemplate), null, null).Fit(Input(Messages, Tools));
        using JsonDocument messages = JsonDocument.Parse(fitted.MessagesJson);
        string written = messages.RootElement[2].GetProperty("content").GetString()!;

        Answers parsed = Answers.Parse("hermes", written, [], new AnswerParserOptions { Functions = ["add", "now"] });

        Assert.Equal("""reasoning[] content[Yes.] add[{"a": 1.50, "s": "\u00e9"}] now[{}]""", parsed.ToString());
    }

    [Fact]
    public void A_conversation_without_tools_stays_as_it_is()
    {
        ChatTemplateInput input = Input("""[{"role":"user","content":"Hi"}]""", "");
        Assert.Same(input, ToolPrompt.Of(ChatTemplate.Parse(PlainTemplate), null, null).Fit(input));
        Assert.Same(input, ToolPrompt.Of(Family("qwen-tools"), null, null).Fit(input));
    }

    [Theory]
    [InlineData("{\"a\": [1, ")]
    [InlineData("[1]")]
    [InlineData("oops")]
    public void Arguments_that_are_no_object_stay_a_string(string arguments)
    {
        string messages = $$"""[{"role":"assistant","content":"","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":{{JsonSerializer.Serialize(arguments)}}} }]}]""";
        using JsonDocument fitted = JsonDocument.Parse(ToolPrompt.Of(Family("qwen-tools"), null, null).Fit(Input(messages, Tools)).MessagesJson);
        Assert.Equal(arguments, fitted.RootElement[0].GetProperty("tool_calls")[0].GetProperty("function").GetProperty("arguments").GetString());
    }

    [Theory]
    [InlineData("{{ tools }}<tool_call>", "hermes")]
    [InlineData("{{ tools }}[TOOL_CALLS]", "mistral")]
    [InlineData("{{ tools }}<｜tool▁call▁begin｜>", "deepseek_v3")]
    [InlineData("<|start|>assistant<|channel|>", "harmony")]
    [InlineData("{{ tools }}{\"name\": f, \"parameters\": p}", "llama3_json")]
    [InlineData("{{ tools }}<|python_start|>", "pythonic")]
    [InlineData("{{ messages }}", "hermes")]
    [InlineData(null, "hermes")]
    public void A_templates_signs_tell_the_form(string? template, string form)
    {
        Assert.Equal(form, AnswerFormat.Of(new NoSpecialTokens(), template).Name);
        Assert.Equal("pythonic", AnswerFormat.Of(new NoSpecialTokens(), template, "pythonic").Name);
        Assert.Null(AnswerFormat.Of(new NoSpecialTokens(), template, "none").CreateParser(new AnswerParserOptions { Functions = ["f"] }));
    }

    [Fact]
    public void A_prompt_that_opens_the_thinking_is_seen()
    {
        AnswerFormat format = AnswerFormat.Of(new NoSpecialTokens(), "{{ m }}<think></think>");
        Assert.True(format.EndsInReasoning("<|im_start|>assistant\n<think>\n"));
        Assert.False(format.EndsInReasoning("<|im_start|>assistant\n<think>\n\n</think>\n\n"));
        Assert.False(AnswerFormat.Of(new NoSpecialTokens(), "{{ m }}").EndsInReasoning("<think>"));
    }

    private static ChatTemplate Family(string name) =>
        ChatTemplate.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", "templates", "families", name + ".jinja")));

    private static ChatTemplateInput Input(string messages, string tools) =>
        new() { MessagesJson = Encoding.UTF8.GetBytes(messages), ToolsJson = Encoding.UTF8.GetBytes(tools) };
}
