namespace Serving.Text.Tests.ToolCalls;

/// <summary>
/// Answers in each family's published form, and others that nearly are. The text is ours. The functions that exist are <c>get_weather</c>, <c>add</c> and
/// <c>now</c>.
/// </summary>
internal static class Transcripts
{
    public static readonly string[] Functions = ["get_weather", "add", "now"];

    /// <summary>Form, answer, what it is.</summary>
    public static readonly (string Form, string Text, string Expected)[] All =
    [
        // Hermes and Qwen.
        ("hermes", """
            <tool_call>
            {"name": "get_weather", "arguments": {"city": "Paris"}}
            </tool_call>
            """, """reasoning[] content[] get_weather[{"city": "Paris"}]"""),
        ("hermes", """
            I will look.
            <tool_call>
            {"name": "add", "arguments": {"a": 1, "b": [2, {"c": "}"}]}}
            </tool_call>
            <tool_call>
            {"name": "now"}
            </tool_call>
            """, """reasoning[] content[I will look.] add[{"a": 1, "b": [2, {"c": "}"}]}] now[{}]"""),
        ("hermes", """
            <think>
            The user wants <tool_call>s.
            </think>

            <tool_call>{"arguments": {"x": "é\u00e9\\\""}, "id": 7, "name": "add"}</tool_call>
            """, """reasoning[The user wants <tool_call>s.] content[] add[{"x": "é\u00e9\\\""}]"""),
        ("hermes", """<tool_call>{"name":"add","arguments":"{\"a\": 1}"}</tool_call>Done.""", """reasoning[] content[Done.] add[{"a": 1}]"""),
        ("hermes", """<tool_call>{"name":"add","arguments":{"html":"</tool_call><tool_call>{"}}</tool_call>""", """reasoning[] content[] add[{"html":"</tool_call><tool_call>{"}]"""),
        ("hermes", """<tool_call>{"n\u0061me":"\u0061dd","arguments":{}}</tool_call>""", "reasoning[] content[] add[{}]"),
        ("hermes", """<tool_call>{"name":"now","arguments":null}</tool_call>""", "reasoning[] content[] now[{}]"),
        ("hermes", """<tool_call>{"name":"now","arguments":""}</tool_call>""", "reasoning[] content[] now[{}]"),
        ("hermes", """<tool_call>[{"name":"now"}, {"name":"add","arguments":{"a":1}}]</tool_call>""", """reasoning[] content[] now[{}] add[{"a":1}]"""),
        ("hermes", " Two < three, and <b>bold</b> is HTML. <tool", "reasoning[] content[ Two < three, and <b>bold</b> is HTML. <tool]"),
        ("hermes", "👍 done\n\n", "reasoning[] content[👍 done\n\n]"),
        ("hermes", "", "reasoning[] content[]"),
        ("hermes", "<think>never ends", "reasoning[never ends] content[]"),
        ("hermes", "a <think>b</think> c", "reasoning[] content[a <think>b</think> c]"),
        ("hermes", "</think>", "reasoning[] content[</think>]"),

        // Hermes, nearly.
        ("hermes", """<tool_call>{"name": "rm_rf", "arguments": {}}</tool_call>""", """reasoning[] content[<tool_call>{"name": "rm_rf", "arguments": {}}</tool_call>]"""),
        ("hermes", "Write <tool_call> before and </tool_call> after.", "reasoning[] content[Write <tool_call> before and </tool_call> after.]"),
        ("hermes", """<tool_call>{"name": "add", "arg""", """reasoning[] content[<tool_call>{"name": "add", "arg]"""),
        ("hermes", """<tool_call>{"name": "add", "arguments": {"a": [1, 2""", """reasoning[] content[] add[{"a": [1, 2]"""),
        ("hermes", """<tool_call>{"name": "add", "arguments": {"a": oops}}</tool_call> x""", """reasoning[] content[x] add[{"a": oops}]"""),
        ("hermes", """<tool_call>{"name": "add", "arguments": {"a": 1</tool_call> x""", """reasoning[] content[x] add[{"a": 1]"""),
        ("hermes", """<tool_call>{"name": "add", "arguments": {"a": 1}} and more</tool_call> x""", """reasoning[] content[and more x] add[{"a": 1}]"""),
        ("hermes", """<tool_call>{"name": "add", "arguments": {"a": 1} junk}</tool_call>""", """reasoning[] content[junk}] add[{"a": 1}]"""),
        ("hermes", """<tool_call>{"name": "add", "arguments": [1, 2]}</tool_call>""", """reasoning[] content[<tool_call>{"name": "add", "arguments": [1, 2]}</tool_call>]"""),
        ("hermes", """<tool_call>{"name": "\ud800", "arguments": {}}</tool_call>""", """reasoning[] content[<tool_call>{"name": "\ud800", "arguments": {}}</tool_call>]"""),
        ("hermes", """<tool_call>{'name': 'add'}</tool_call>""", "reasoning[] content[<tool_call>{'name': 'add'}</tool_call>]"),
        ("hermes", """<tool_call><tool_call>{"name":"now"}</tool_call>""", "reasoning[] content[<tool_call>] now[{}]"),
        ("hermes", """<tool_call>{"name":"now"}{"name":"now"}</tool_call>""", """reasoning[] content[{"name":"now"}] now[{}]"""),
        ("hermes", """<tool_call>{"name":"now"}""", "reasoning[] content[] now[{}]"),
        ("hermes", """<tool_call>{"name":"now"}<tool_call>{"name":"now"}""", "reasoning[] content[] now[{}] now[{}]"),
        ("hermes", "<tool_call>", "reasoning[] content[<tool_call>]"),
        ("hermes", "<tool_call>{}</tool_call>", "reasoning[] content[<tool_call>{}</tool_call>]"),
        ("hermes", """{"name": "now", "arguments": {}}""", """reasoning[] content[{"name": "now", "arguments": {}}]"""),

        // Llama 3.
        ("llama3_json", """{"name": "get_weather", "parameters": {"city": "Oslo"}}""", """reasoning[] content[] get_weather[{"city": "Oslo"}]"""),
        ("llama3_json", """<|python_tag|>{"name": "add", "parameters": {"a": "1"}}; {"name": "now", "parameters": {}}""", """reasoning[] content[] add[{"a": "1"}] now[{}]"""),
        ("llama3_json", """

            {"type": "function", "name": "now", "parameters": {}}
            """, "reasoning[] content[] now[{}]"),
        ("llama3_json", """{"name": "now", "parameters": {}} Done.""", "reasoning[] content[Done.] now[{}]"),
        ("llama3_json", """{"name": "now", "parameters": {}}; and so on""", "reasoning[] content[; and so on] now[{}]"),
        ("llama3_json", """{"name": "Paris", "parameters": {"population": 2}}""", """reasoning[] content[{"name": "Paris", "parameters": {"population": 2}}]"""),
        ("llama3_json", """The call is {"name": "now", "parameters": {}}""", """reasoning[] content[The call is {"name": "now", "parameters": {}}]"""),
        ("llama3_json", """{"answer": 42, "name": "nobody"}""", """reasoning[] content[{"answer": 42, "name": "nobody"}]"""),
        ("llama3_json", "{ this is a set, {not} JSON }", "reasoning[] content[{ this is a set, {not} JSON }]"),
        ("llama3_json", "<|python_tag|>print(1)", "reasoning[] content[<|python_tag|>print(1)]"),
        ("llama3_json", """{"name": "add", "parameters": {"s": "{\"name\": \"now\"} ; }"}}""", """reasoning[] content[] add[{"s": "{\"name\": \"now\"} ; }"}]"""),
        ("llama3_json", """{"name": "add", "parameters": {"a": 1""", """reasoning[] content[] add[{"a": 1]"""),

        // Mistral.
        ("mistral", """[TOOL_CALLS] [{"name": "get_weather", "arguments": {"city": "Lyon"}}, {"name": "now", "arguments": {}, "id": "abcdefghi"}]""", """reasoning[] content[] get_weather[{"city": "Lyon"}] now[{}]"""),
        ("mistral", """I check.[TOOL_CALLS]get_weather[ARGS]{"city": "Nice", "days": [1,2]}[TOOL_CALLS]now[ARGS]{}""", """reasoning[] content[I check.] get_weather[{"city": "Nice", "days": [1,2]}] now[{}]"""),
        ("mistral", """[TOOL_CALLS]add[CALL_ID]xyz123abc[ARGS]{"a": "[TOOL_CALLS]"}""", """reasoning[] content[] add[{"a": "[TOOL_CALLS]"}]"""),
        ("mistral", """[THINK]Hm, [TOOL_CALLS]?[/THINK]No.""", "reasoning[Hm, [TOOL_CALLS]?] content[No.]"),
        ("mistral", """[TOOL_CALLS]add{"a": 1}""", """reasoning[] content[] add[{"a": 1}]"""),
        ("mistral", """[TOOL_CALLS]sub[ARGS]{"a": 1}""", """reasoning[] content[[TOOL_CALLS]sub[ARGS]{"a": 1}]"""),
        ("mistral", "[TOOL_CALLS] is how Mistral marks calls [1].", "reasoning[] content[[TOOL_CALLS] is how Mistral marks calls [1].]"),
        ("mistral", """[TOOL_CALLS] [{"name": "now", "arguments": {}}, 7]""", "reasoning[] content[, 7]] now[{}]"),
        ("mistral", """[TOOL_CALLS] [{"name": "now", "arguments": {}}""", "reasoning[] content[] now[{}]"),
        ("mistral", "[TOOL_", "reasoning[] content[[TOOL_]"),

        // DeepSeek.
        ("deepseek_v3", """
            <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather
            ```json
            {"city": "Köln"}
            ```<｜tool▁call▁end｜>
            <｜tool▁call▁begin｜>function<｜tool▁sep｜>now
            ```json
            {}
            ```<｜tool▁call▁end｜><｜tool▁calls▁end｜>
            """, """reasoning[] content[] get_weather[{"city": "Köln"}] now[{}]"""),
        ("deepseek_v3", """<think>So.</think>Fine.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add<｜tool▁sep｜>{"a": "```"}<｜tool▁call▁end｜><｜tool▁call▁begin｜>now<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>""", """reasoning[So.] content[Fine.] add[{"a": "```"}] now[{}]"""),
        ("deepseek_v3", """<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>sub<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>""", """reasoning[] content[<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>sub<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>]"""),
        ("deepseek_v3", "<｜tool▁calls▁begin｜> and then?", "reasoning[] content[<｜tool▁calls▁begin｜> and then?]"),
        ("deepseek_v3", """<｜tool▁call▁begin｜>function<｜tool▁sep｜>now``json{}""", "reasoning[] content[<｜tool▁call▁begin｜>function<｜tool▁sep｜>now``json{}]"),
        ("deepseek_v3", """<｜tool▁call▁begin｜>add<｜tool▁sep｜>{"a": 1<｜tool▁call▁end｜>rest""", """reasoning[] content[rest] add[{"a": 1]"""),

        // GPT-OSS.
        ("harmony", """<|channel|>analysis<|message|>Need the weather.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city": "Rome"}<|call|>""", """reasoning[Need the weather.] content[] get_weather[{"city": "Rome"}]"""),
        ("harmony", "<|channel|>final<|message|>It is sunny.<|return|>", "reasoning[] content[It is sunny.]"),
        ("harmony", """<|channel|>commentary<|message|>Two calls follow.<|end|><|start|>assistant to=functions.add<|channel|>commentary<|message|>{"a": 1}<|call|><|start|>assistant<|channel|>analysis to=functions.now code<|message|><|call|>""", """reasoning[] content[Two calls follow.] add[{"a": 1}] now[{}]"""),
        ("harmony", "<|channel|>analysis<|message|>One.<|end|><|start|>assistant<|channel|>analysis<|message|> Two.<|end|><|start|>assistant<|channel|>final<|message|>Three", "reasoning[One. Two.] content[Three]"),
        ("harmony", """<|channel|>commentary to=functions.sub<|message|>{"a": 1}<|call|>""", """reasoning[] content[<|channel|>commentary to=functions.sub<|message|>{"a": 1}]"""),
        ("harmony", "<|channel|>final", "reasoning[] content[<|channel|>final]"),
        ("harmony", "Plain text, no channel.", "reasoning[] content[Plain text, no channel.]"),
        ("harmony", "<|channel|>final<|message|>The marker <|channel|> is special.<|return|>", "reasoning[] content[The marker <|channel|> is special.]"),
        ("harmony", "<|channel|>analysis<|message|>No end<|start|>assistant<|channel|>final<|message|>So.", "reasoning[No end] content[So.]"),

        // Python.
        ("pythonic", """[get_weather(city="Paris", days=3)]""", """reasoning[] content[] get_weather[{"city": "Paris", "days": 3}]"""),
        ("pythonic", """<|python_start|>[add(a=[1, 2.50, -3e5], b={'k': None, "l": (True, False)}), now()]<|python_end|>""", """reasoning[] content[] add[{"a": [1, 2.50, -3e5], "b": {"k": null, "l": [true, false]}}] now[{}]"""),
        ("pythonic", """<|tool_call_start|>[now()]<|tool_call_end|>Checking.""", "reasoning[] content[Checking.] now[{}]"),
        ("pythonic", """[add(s='it\'s "x" \n \u00e9 \x41 \d', t="")]""", """reasoning[] content[] add[{"s": "it's \"x\" \u000a é A \\d", "t": ""}]"""),
        ("pythonic", "[add(s='''three ' and ''two'' quotes''')]", "reasoning[] content[] add[{\"s\": \"three ' and ''two'' quotes\"}]"),
        ("pythonic", """[add(a=1_000, b=.5, c=+7, d=007, e=1., )]""", """reasoning[] content[] add[{"a": 1000, "b": 0.5, "c": 7, "d": 7, "e": 1}]"""),
        ("pythonic", """[add(s="\ud83d\ude00 ] ), now()")]""", """reasoning[] content[] add[{"s": "\ud83d\ude00 ] ), now()"}]"""),
        ("pythonic", "[1] According to the book, now() is a function.", "reasoning[] content[[1] According to the book, now() is a function.]"),
        ("pythonic", "[sub(a=1)]", "reasoning[] content[[sub(a=1)]]"),
        ("pythonic", "[now() is now()]", "reasoning[] content[is now()]] now[{}]"),
        ("pythonic", "[add(1, 2)]", "reasoning[] content[[add(1, 2)]]"),
        ("pythonic", "[add(a=foo + 1, b=2)]", "reasoning[] content[] add[{\"a\": foo + 1, b=2)]]"),
        ("pythonic", """[add(a="unfinished""", "reasoning[] content[] add[{\"a\": \"unfinished]"),
        ("pythonic", "[add(a=[1, 2", "reasoning[] content[] add[{\"a\": [1, 2]"),
        ("pythonic", "Call [now()]", "reasoning[] content[Call [now()]]"),
        ("pythonic", "[]", "reasoning[] content[[]]"),
    ];

    /// <summary>The markers that are special tokens in the published vocabularies.</summary>
    public static IReadOnlyList<string> Special(string form) => form switch
    {
        "llama3_json" => ["<|python_tag|>"],
        "mistral" => ["[TOOL_CALLS]", "[ARGS]", "[CALL_ID]", "[THINK]", "[/THINK]"],
        "deepseek_v3" => ["<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", "<｜tool▁sep｜>", "<think>", "</think>"],
        "harmony" => ["<|start|>", "<|channel|>", "<|constrain|>", "<|message|>", "<|end|>", "<|call|>", "<|return|>"],
        "pythonic" => ["<|python_start|>", "<|python_end|>", "<|tool_call_start|>", "<|tool_call_end|>"],
        _ => ["<tool_call>", "</tool_call>", "<think>", "</think>"],
    };
}
