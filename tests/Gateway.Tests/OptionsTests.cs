using Microsoft.Extensions.Options;
using Serving.Gateway.Configuration;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

public sealed class OptionsTests
{
    private readonly GatewayOptionsValidator _validator = new();

    [Fact]
    public void Defaults_are_valid() => Assert.True(_validator.Validate(null, new GatewayOptions()).Succeeded);

    [Fact]
    public void Every_mistake_is_reported_at_once()
    {
        var options = new GatewayOptions
        {
            Listen = "https://example.org/path",
            ApiKeyFile = "/nowhere/keys",
            BodyBytesMax = 1,
            CorsOrigins = { "chat.example", "https://chat.example/", "https://fine.example" },
            ModelAliases = { ["gpt-4o"] = "" },
        };

        var mistakes = _validator.Validate(null, options).Failures!.ToArray();

        Assert.Equal(6, mistakes.Length);
        foreach (var name in (string[])["BodyBytesMax", "Gateway:Listen", "/nowhere/keys", "'chat.example'", "'https://chat.example/'", "gpt-4o"])
        {
            Assert.Single(mistakes, mistake => mistake.Contains(name, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("http://0.0.0.0:8080")]
    [InlineData("http://[::]:8080")]
    [InlineData("http://192.168.1.5:8080")]
    public void An_address_that_others_can_reach_needs_keys(string listen)
    {
        var result = _validator.Validate(null, new GatewayOptions { Listen = listen });

        Assert.Contains("ApiKeyFile", Assert.Single(result.Failures!), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "holds no key")]
    [InlineData("# only a comment", "holds no key")]
    [InlineData("short", "line 1")]
    [InlineData("sk-first-key-0123456\nsk two words in a line", "line 2")]
    public void A_key_file_that_protects_nothing_is_refused(string content, string said)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, content);

            var result = _validator.Validate(null, new GatewayOptions { Listen = "http://0.0.0.0:8080", ApiKeyFile = file });

            Assert.Contains(result.Failures!, mistake => mistake.Contains(said, StringComparison.Ordinal));
            Assert.DoesNotContain(result.Failures!, mistake => mistake.Contains("two words", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_gateway_with_bad_options_does_not_start() =>
        await Assert.ThrowsAsync<OptionsValidationException>(() => TestGateway.StartAsync(new FakeClusterView(), ("Gateway:Listen", "http://0.0.0.0:0")));
}
