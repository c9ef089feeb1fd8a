using Serving.Text.Templates;
using static Serving.Text.Tests.Templates.TemplateTesting;

namespace Serving.Text.Tests.Templates;

public sealed class HostileTemplateTests
{
    [Theory]
    [InlineData("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")]
    [InlineData("{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}")]
    [InlineData("{% set ns = namespace(s='xxxxxxxxxxxxxxxx') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}")]
    [InlineData("{{ 'x' * 999999999 }}")]
    [InlineData("{{ 'x' * 9999999999999999999999 }}")]
    [InlineData("{{ [0] * 999999999 }}")]
    [InlineData("{{ [] * 999999999 ~ range(100001) }}")]
    [InlineData("{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %}")]
    [InlineData("{{ 9 ** 9 ** 9 ** 9 ** 9 ** 9 }}")]
    [InlineData("{% set ns = namespace(n=7) %}{% for i in range(99) %}{% set ns.n = ns.n * ns.n %}{% endfor %}")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}")]
    [InlineData("{% set ns = namespace(x=[]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x|tojson }}")]
    [InlineData("{% set ns = namespace(x=[1], y=[1]) %}{% for i in range(50) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}")]
    [InlineData("{% set ns = namespace(x=[1]) %}{% for i in range(50) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x|string|length }}")]
    [InlineData("{{ 'x'.center(999999999) }}")]
    [InlineData("{{ 'x'|center(999999999) }}")]
    [InlineData("{{ '%999999999d' % 1 }}")]
    [InlineData("{{ '{:999999999}'.format(1) }}")]
    [InlineData("{{ '{:.999999999f}'.format(1.5) }}")]
    [InlineData("{{ 'x'.zfill(999999999) }}")]
    [InlineData("{{ 'a\\nb'|indent(999999999) }}")]
    [InlineData("{{ '\t'.expandtabs(999999999) }}")]
    [InlineData("{{ [1]|batch(999999999, 'x')|list }}")]
    [InlineData("{{ [1]|slice(999999999)|list }}")]
    [InlineData("{% set s = 'x' * 999999 %}{% for i in range(99999) %}{{ s.count('y') }}{% endfor %}")]
    [InlineData("{% set s = 'x' * 99999 %}{{ s.replace('x', s) }}")]
    [InlineData("{% set s = 'x' * 99999 %}{{ s.join(s) }}")]
    [InlineData("{% set l = range(99999)|list %}{% for i in l %}{{ i in l }}{% endfor %}")]
    public void Stops_a_template_without_bounds(string template)
    {
        TemplateException exception = Assert.Throws<TemplateException>(() => Render(template));

        Assert.Equal(TemplateErrorKind.Limit, exception.Kind);
        Assert.Equal(1, exception.Line);
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("-", "")]
    [InlineData("not ", "")]
    [InlineData("1 if ", "")]
    public void Refuses_expressions_that_nest_without_end(string open, string close)
    {
        string template = "{{ " + string.Concat(Enumerable.Repeat(open, 50_000)) + "1" + string.Concat(Enumerable.Repeat(close, 50_000)) + " }}";

        Assert.Equal(TemplateErrorKind.Limit, Assert.Throws<TemplateException>(() => Render(template)).Kind);
    }

    [Fact]
    public void Refuses_blocks_that_nest_without_end()
    {
        string template = string.Concat(Enumerable.Repeat("{% if true %}", 50_000));

        Assert.Equal(TemplateErrorKind.Limit, Assert.Throws<TemplateException>(() => ChatTemplate.Parse(template)).Kind);
    }

    [Theory]
    [InlineData("+1")]
    [InlineData("~1")]
    [InlineData(" and 1")]
    [InlineData("|abs")]
    [InlineData(".a")]
    [InlineData("[0]")]
    public void Survives_a_chain_of_any_length(string link)
    {
        string template = "{{ x" + string.Concat(Enumerable.Repeat(link, 50_000)) + " }}";

        Exception? thrown = Record.Exception(() => Render(template, arguments: """{"x":1}"""));

        Assert.True(thrown is null or TemplateException, thrown?.ToString());
    }

    [Fact]
    public void Lets_a_long_conversation_through()
    {
        string content = new('x', 2000);
        string messages = "[" + string.Join(',', Enumerable.Repeat($$"""{"role":"user","content":"{{content}}"}""", 2000)) + "]";

        PromptText text = Render("{% for m in messages %}{{ '<|' + m.role + '|>' + m.content|trim + '\n' }}{% endfor %}", messages);

        Assert.Equal(2000 * (2000 + 9), text.Text.Length);
    }
}
