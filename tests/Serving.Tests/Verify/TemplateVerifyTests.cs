using System.Text.Json;
using Serving.TestKit;

namespace Serving.Serving.Tests.Verify;

public sealed class TemplateVerifyTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_recorded_conversation_passes()
    {
        var run = await CommandRun.Of("template", "verify", Path.Combine(Repository.Root, "tests", "Text.Tests", "Fixtures", "templates", "chat-templates.json"));
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("All 72 rows passed.", run.Output);
    }

    [Fact]
    public async Task Another_text_is_a_miss()
    {
        var run = await VerifyAsync("{{ bos_token }}{{ messages[0].content }}", """ "text": "<s>Hullo" """);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("row 0 \"t/c\", text, from character 4 on:", run.Output);
        Assert.Contains("  expected \"<s>Hullo\"", run.Output);
        Assert.Contains("  got      \"<s>Hello\"", run.Output);
    }

    [Fact]
    public async Task A_conversation_that_is_none_is_a_miss_with_the_reason()
    {
        var run = await VerifyAsync("{{ messages }}", """ "text": "Hello" """, messages: "3");
        Assert.Equal((1, ""), (run.ExitCode, run.Error));
        Assert.Contains("  got      error: \"messages must be an array\"", run.Output);
    }

    [Fact]
    public async Task An_error_where_a_text_is_expected_is_a_miss()
    {
        var run = await VerifyAsync("{{ raise_exception('no') }}", """ "text": "Hello" """, options: "--json");
        var miss = JsonDocument.Parse(run.Output).RootElement.GetProperty("misses")[0];
        Assert.Equal(1, run.ExitCode);
        Assert.Equal("t/c", miss.GetProperty("name").GetString());
        Assert.EndsWith(": no", miss.GetProperty("got").GetProperty("error").GetString());
    }

    [Theory]
    [InlineData("{{ raise_exception('no') }}", "no", 0)]
    [InlineData("{{ raise_exception('no') }}", "never", 1)]
    [InlineData("{{ 1 + 'a' }}", "in Python's words", 0)]
    [InlineData("{{ nobody.name.at_all }}", "in Python's words", 0)]
    [InlineData("Hello", "no", 1)]
    [InlineData("{% for i in range(10000000000) %}x{% endfor %}", "no", 1)]
    public async Task An_expected_error_has_the_template_s_own_words_or_is_any_failure_to_render(string template, string error, int exitCode)
    {
        var run = await VerifyAsync(template, $"\"error\": {JsonSerializer.Serialize(error)}");
        Assert.Equal((exitCode, ""), (run.ExitCode, run.Error));
    }

    [Theory]
    [InlineData("[]", "the root is a list where an object is expected.")]
    [InlineData("{}", "the root lacks the field 'rendered'.")]
    [InlineData("""{"rendered": [{"template": "t", "case": "c"}], "templates": {}}""", "rendered[0] names 't', which is not in templates.")]
    [InlineData("""{"rendered": [{"template": "t", "case": "c"}], "templates": {"t": "x"}, "cases": {"c": {}}}""", "cases.c lacks the field 'messages'.")]
    [InlineData("""{"rendered": [{"template": "t", "case": "c"}], "templates": {"t": "x"}, "cases": {"c": {"messages": []}}}""", "rendered[0] lacks the field 'text'.")]
    [InlineData(
        """{"rendered": [{"template": "t", "case": "c"}], "templates": {"t": "x"}, "cases": {"c": {"messages": [], "add_generation_prompt": 1}}}""",
        "cases.c.add_generation_prompt is a number where true or false is expected.")]
    [InlineData(
        """{"rendered": [{"template": "t", "case": "c"}], "templates": {"t": "x"}, "cases": {"c": {"messages": [], "\ud800": 1}}}""",
        "cases.c holds half a character (a lone surrogate or bytes that are not UTF-8).")]
    [InlineData(
        """{"rendered": [{"template": "t", "case": "c"}], "templates": {"t": "x"}, "cases": {"c": {"messages": [], "x": ["\ud800"]}}}""",
        "cases.c holds half a character (a lone surrogate or bytes that are not UTF-8).")]
    public async Task A_broken_file_is_named_with_its_field(string json, string expected)
    {
        var file = _folder.Touch("templates.json", json);
        var run = await CommandRun.Of("template", "verify", file);
        Assert.Equal((1, "", $"{file}: {expected}{Environment.NewLine}"), (run.ExitCode, run.Output, run.Error));
    }

    private Task<CommandRun> VerifyAsync(string template, string expected, string messages = """[{"role": "user", "content": "Hello"}]""", params string[] options)
    {
        var json = $$"""
            {
              "bos_token": "<s>",
              "templates": { "t": {{JsonSerializer.Serialize(template)}} },
              "cases": { "c": { "messages": {{messages}} } },
              "rendered": [{ "template": "t", "case": "c", {{expected}} }]
            }
            """;
        return CommandRun.Of(["template", "verify", _folder.Touch("templates.json", json), .. options]);
    }
}
