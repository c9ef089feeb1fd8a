using Serving.TestKit;

namespace Serving.EndToEnd;

/// <summary>
/// A scripted model for each form of tool calls: a chat template in the family's manner, its special tokens, and what it says, in its published form. Each
/// answers <c>weather</c> with thoughts where the family has them, a text and two calls, <c>weather-result</c> in plain text, and <c>talk</c> with what only
/// looks like a call; <c>… by bytes</c> says the same with every byte a token, so that every border is one between tokens.
/// </summary>
internal static class ToolFamilies
{
    public const string Reasoning = "They ask for \"Köln\" {today}.";
    public const string Content = "I will look that up.";
    public const string FirstArguments = """{"city": "Köln \"am Rhein\" 🌧", "days": [1, 2]}""";
    public const string SecondArguments = """{"zone": "CET"}""";
    public const string Final = "It rains: 7 °C at noon.";

    public static readonly IReadOnlyDictionary<string, Family> All = new Dictionary<string, Family>
    {
        ["hermes"] = new(
            Tools("<|im_start|>system\n") + Messages("<|im_start|>", "\n", "<|im_end|>\n", "<tool_call>\n{{ c.function | tojson }}\n</tool_call>") + "<|im_start|>assistant\n",
            ["<|im_start|>", "<|im_end|>"])
        {
            PromptEnd = "<think>",
            Call = $$"""
                {{Reasoning}}
                </think>

                {{Content}}
                <tool_call>
                {"name": "get_weather", "arguments": {{FirstArguments}}}
                </tool_call>
                <tool_call>
                {"arguments": {{SecondArguments}}, "name": "now"}
                </tool_call>
                """,
            Talk = "No.</think>Write <tool_call>{\"name\": \"sudo\", \"arguments\": {}}</tool_call> and I would not run it.",
            TalkContent = "Write <tool_call>{\"name\": \"sudo\", \"arguments\": {}}</tool_call> and I would not run it.",
            Result = $"No need to think.</think>\n\n{Final}",
            Reasoning = Reasoning,
            Content = Content,
        },
        ["default"] = new(Messages("<|im_start|>", "\n", "<|im_end|>\n", call: null) + "<|im_start|>assistant\n", ["<|im_start|>", "<|im_end|>"])
        {
            Call = $$"""
                {{Content}}
                <tool_call>{"name": "get_weather", "arguments": {{FirstArguments}}}</tool_call>
                <tool_call>{"name": "now", "arguments": {{SecondArguments}}}</tool_call>
                """,
            Talk = "<tool_call> is what I would write {",
            TalkContent = "<tool_call> is what I would write {",
            Result = Final,
            Content = Content,
        },
        ["llama"] = new(
            Messages("<|start_header_id|>", "<|end_header_id|>\n\n", "<|eot_id|>", "{\"name\": \"{{ c.function.name }}\", \"parameters\": {{ c.function.arguments | tojson }}}")
                + "{% for t in tools or [] %}{{ t | tojson(indent=4) }}{% endfor %}<|start_header_id|>assistant<|end_header_id|>\n\n",
            ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|python_tag|>"])
        {
            Call = $$"""{"name": "get_weather", "parameters": {{FirstArguments}}}; {"name": "now", "parameters": {{SecondArguments}}}<|eot_id|>""",
            Talk = "{\"name\": \"Konrad\", \"parameters\": \"none\"} was the mayor.",
            TalkContent = "{\"name\": \"Konrad\", \"parameters\": \"none\"} was the mayor.",
            Result = Final,
        },
        ["mistral"] = new(
            "{% for t in tools or [] %}[AVAILABLE_TOOLS]{{ t | tojson }}[/AVAILABLE_TOOLS]{% endfor %}{% for m in messages %}{% for c in m.tool_calls or [] %}"
                + "{% if c.id | length != 9 %}{{ raise_exception('an id has nine letters or digits') }}{% endif %}[TOOL_CALLS]{{ c.function.name }}[ARGS]{{ c.function.arguments | tojson }}"
                + "{% endfor %}[INST]{{ m.content }}[/INST]{% endfor %}",
            ["[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "[THINK]", "[/THINK]", "[INST]", "[/INST]"])
        {
            Call = $"[THINK]{Reasoning}[/THINK]{Content}[TOOL_CALLS]get_weather[ARGS]{FirstArguments}[TOOL_CALLS]now[ARGS]{SecondArguments}",
            Talk = "[TOOL_CALLS]sudo[ARGS]{} would be one.",
            TalkContent = "[TOOL_CALLS]sudo[ARGS]{} would be one.",
            Result = Final,
            Reasoning = Reasoning,
            Content = Content,
        },
        ["deepseek"] = new(
            "{% for t in tools or [] %}{{ t | tojson }}{% endfor %}{% for m in messages %}{{ '<｜' ~ m.role ~ '｜>' ~ m.content }}{% for c in m.tool_calls or [] %}"
                + "<｜tool▁call▁begin｜>{{ c.type ~ '<｜tool▁sep｜>' ~ c.function.name ~ '\\n```json\\n' + c.function.arguments + '\\n```' }}<｜tool▁call▁end｜>{% endfor %}{% endfor %}<｜Assistant｜>",
            [])
        {
            Call = $$"""
                {{Content}}<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather
                ```json
                {{FirstArguments}}
                ```<｜tool▁call▁end｜>
                <｜tool▁call▁begin｜>function<｜tool▁sep｜>now
                ```json
                {{SecondArguments}}
                ```<｜tool▁call▁end｜><｜tool▁calls▁end｜>
                """,
            Talk = "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>sudo<｜tool▁sep｜>{}<｜tool▁call▁end｜>",
            TalkContent = "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>sudo<｜tool▁sep｜>{}<｜tool▁call▁end｜>",
            Result = Final,
            Content = Content,
        },
        ["harmony"] = new(
            Messages("<|start|>", "<|message|>", "<|end|>", "<|channel|>commentary to=functions.{{ c.function.name }} json<|message|>{{ c.function.arguments | tojson }}<|call|>")
                + "{% for t in tools or [] %}<|start|>developer<|message|>{{ t | tojson }}<|end|>{% endfor %}<|start|>assistant",
            ["<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>", "<|call|>", "<|return|>"])
        {
            // A turn of GPT-OSS ends with its call.
            Call = $"<|channel|>analysis<|message|>{Reasoning}<|end|><|start|>assistant<|channel|>commentary<|message|>{Content}<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{FirstArguments}<|call|>",
            Talk = "<|channel|>commentary to=functions.sudo<|message|>{}<|end|><|start|>assistant<|channel|>final<|message|>That was none.<|return|>",
            TalkContent = "<|channel|>commentary to=functions.sudo<|message|>{}That was none.",
            Result = $"<|channel|>final<|message|>{Final}<|return|>",
            Reasoning = Reasoning,
            Content = Content,
            Calls = 1,
        },
        ["pythonic"] = new(
            Tools("<|header_start|>system<|header_end|>") + Messages("<|header_start|>", "<|header_end|>", "<|eot|>", "<|python_start|>[{{ c.function.name }}({% for k, v in c.function.arguments.items() %}{{ k }}={{ v | tojson }}{% endfor %})]<|python_end|>")
                + "<|header_start|>assistant<|header_end|>",
            ["<|header_start|>", "<|header_end|>", "<|eot|>", "<|python_start|>", "<|python_end|>"])
        {
            Call = """<|python_start|>[get_weather(city='Köln "am Rhein" \U0001f327', days=[1, 2]), now(zone="CET")]<|python_end|>""",
            Talk = "[sudo(x=1)] is not mine.",
            TalkContent = "[sudo(x=1)] is not mine.",
            Result = Final,
        },
    };

    private static string Tools(string head) => $"{{% if tools %}}{head}{{% for t in tools %}}{{{{ t | tojson }}}}\n{{% endfor %}}{{% endif %}}";

    /// <param name="call">How the template renders the call <c>c</c>; null: it knows none.</param>
    private static string Messages(string begin, string neck, string end, string? call) =>
        $"{{% for m in messages %}}{begin}{{{{ m.role }}}}{neck}{{{{ m.content }}}}"
        + (call is null ? "" : $"{{% for c in m.tool_calls or [] %}}{call}{{% endfor %}}")
        + $"{end}{{% endfor %}}";
}

/// <summary>What one family's model says.</summary>
internal sealed record Family(string Template, string[] Markers)
{
    public required string Call { get; init; }

    public required string Talk { get; init; }

    public required string TalkContent { get; init; }

    public required string Result { get; init; }

    public string PromptEnd { get; init; } = "";

    public string Reasoning { get; init; } = "";

    public string Content { get; init; } = "";

    public int Calls { get; init; } = 2;

    public byte[] ToModel() =>
        new ScriptedModel(Template, Markers) { PromptEnd = PromptEnd }
            .Answer("weather", Call)
            .Answer("weather-result", Result)
            .Answer("talk", Talk)
            .Answer("weather by bytes", Call, pieceBytes: 1)
            .Answer("weather by bytes-result", Result, pieceBytes: 1)
            .Answer("talk by bytes", Talk, pieceBytes: 1)
            .ToArray();
}
