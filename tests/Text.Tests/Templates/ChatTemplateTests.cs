using Serving.Text.Templates;
using static Serving.Text.Tests.Templates.TemplateTesting;

namespace Serving.Text.Tests.Templates;

public sealed class ChatTemplateTests
{
    [Theory]
    [InlineData("a\nb {{ 1 + }}", 2, 10)]
    [InlineData("{% if x %}\n  {% nope %}", 2, 6)]
    [InlineData("ab{# c", 1, 3)]
    [InlineData("{{ 'a }}", 1, 4)]
    public void Names_line_and_column_of_a_broken_template(string source, int line, int column)
    {
        TemplateException exception = Assert.Throws<TemplateException>(() => ChatTemplate.Parse(source));

        Assert.Equal(TemplateErrorKind.Syntax, exception.Kind);
        Assert.Equal((line, column), (exception.Line, exception.Column));
    }

    [Fact]
    public void Names_line_and_column_of_a_failing_operation()
    {
        TemplateException exception = Assert.Throws<TemplateException>(() => Render("a\n{{ messages.x.y }}"));

        Assert.Equal(TemplateErrorKind.Render, exception.Kind);
        Assert.Equal("'list object' has no attribute 'x'", exception.Reason);
        Assert.Equal((2, 14), (exception.Line, exception.Column));
    }

    [Fact]
    public void Tells_a_refused_conversation_from_a_broken_template()
    {
        TemplateException exception = Assert.Throws<TemplateException>(() => Render("{{ raise_exception('Roles must alternate') }}"));

        Assert.Equal(TemplateErrorKind.Raised, exception.Kind);
        Assert.Equal("Roles must alternate", exception.Reason);
    }

    [Theory]
    [InlineData("{", "{}", "messages is not valid JSON")]
    [InlineData("{}", "{}", "messages must be an array")]
    [InlineData("[\"\\ud800\"]", "{}", "messages is not valid JSON")]
    [InlineData("[]", "[]", "chat_template_kwargs must be an object")]
    [InlineData("[]", "{\"messages\":[]}", "chat_template_kwargs may not set 'messages'")]
    public void Refuses_input_that_is_not_a_conversation(string messages, string arguments, string reason)
    {
        TemplateException exception = Assert.Throws<TemplateException>(() => Render("", messages, arguments));

        Assert.Equal(TemplateErrorKind.Input, exception.Kind);
        Assert.StartsWith(reason, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gives_an_absent_tool_list_as_None_and_an_absent_token_as_undefined() => Assert.Equal(
        "True False", Render("{{ tools is none and documents is none }} {{ bos_token is defined or eos_token is defined }}").Text);

    [Fact]
    public void Keeps_key_order_and_number_kinds_of_the_JSON() => Assert.Equal(
        "{'b': 1, 'a': 1.0, 'c': 100.0, 'd': 123456789012345678901234567890}",
        Render("{{ x }}", arguments: """{"x":{"b":1,"a":1.0,"c":1e2,"d":123456789012345678901234567890}}""").Text);

    [Fact]
    public void Knows_whether_it_reads_tools()
    {
        Assert.True(ChatTemplate.Parse("{% macro m() %}{% if tools %}{% endif %}{% endmacro %}").UsesTools);
        Assert.False(ChatTemplate.Parse("{{ messages.tools }} tools").UsesTools);
    }

    [Theory]
    [InlineData("Reasoning: {{ reasoning_effort }}", "high", "Reasoning: high")]
    [InlineData("{{ enable_thinking }}", "minimal", "True")]
    [InlineData("{{ enable_thinking }}", "none", "False")]
    [InlineData("{{ thinking }}", "none", "False")]
    [InlineData("{{ reasoning_effort is defined or enable_thinking is defined or thinking is defined }}", null, "False")]
    public void Tells_the_model_how_much_to_reason_by_whatever_variable_there_is(string source, string? effort, string expected)
    {
        ChatTemplate template = ChatTemplate.Parse(source);

        Assert.True(template.UsesReasoningEffort);
        Assert.Equal(expected, template.Render(new ChatTemplateInput { MessagesJson = "[]"u8.ToArray(), ReasoningEffort = effort }).Text);
    }

    [Fact]
    public void Arguments_go_before_the_effort_of_reasoning()
    {
        ChatTemplate template = ChatTemplate.Parse("{{ enable_thinking }} {{ reasoning_effort }}");

        PromptText text = template.Render(new ChatTemplateInput { MessagesJson = "[]"u8.ToArray(), ReasoningEffort = "none", ArgumentsJson = "{\"enable_thinking\":true}"u8.ToArray() });

        Assert.Equal("True none", text.Text);
        Assert.False(ChatTemplate.Parse("{{ messages.thinking }}").UsesReasoningEffort);
    }

    [Fact]
    public void Formats_the_date_of_the_given_clock()
    {
        var clock = new FixedClock(new DateTimeOffset(2026, 7, 5, 9, 3, 4, TimeSpan.Zero));
        ChatTemplate template = ChatTemplate.Parse("{{ strftime_now('%d %b %Y|%-d|%B %A %a|%H:%M:%S|%j|%y|%I %p|%F|%%|%e|%q') }}");
        PromptText text = template.Render(new ChatTemplateInput { MessagesJson = Utf8("[]"), TimeProvider = clock });

        Assert.Equal("⟦05 Jul 2026|5|July Sunday Sun|09:03:04|186|26|09 AM|2026-07-05|%| 5|%q⟧", Marked(text));
    }

    [Fact]
    public void Renders_from_many_threads_at_once()
    {
        ChatTemplate template = ChatTemplate.Parse("{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + m %}{% endfor %}{{ ns.n }}");
        var results = new string[64];

        Parallel.For(0, results.Length, i => results[i] = template.Render(new ChatTemplateInput { MessagesJson = Utf8($"[{i},{i}]") }).Text);

        Assert.Equal(Enumerable.Range(0, results.Length).Select(i => $"{2 * i}"), results);
    }
}
