using System.Net;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

public sealed class AccessTests : IDisposable
{
    private readonly string _keyFile = Path.GetTempFileName();

    public void Dispose() => File.Delete(_keyFile);

    [Theory]
    [InlineData("localhost:{0}", HttpStatusCode.OK)]
    [InlineData("127.0.0.1:{0}", HttpStatusCode.OK)]
    [InlineData("[::1]:{0}", HttpStatusCode.OK)]
    [InlineData("evil.example:{0}", HttpStatusCode.Forbidden)]
    [InlineData("localhost.evil.example:{0}", HttpStatusCode.Forbidden)]
    [InlineData("localhost", HttpStatusCode.Forbidden)]
    [InlineData("127.0.0.1:1", HttpStatusCode.Forbidden)]
    public async Task The_keyless_port_answers_to_its_own_names_only(string host, HttpStatusCode status)
    {
        await using var gateway = await TestGateway.BeforeAsync();

        using var response = await gateway.SendAsync(HttpMethod.Get, "/v1/models", headers: headers => headers.Host = string.Format(host, gateway.Address.Port));

        Assert.Equal(status, response.StatusCode);
        if (status == HttpStatusCode.Forbidden)
        {
            Assert.Equal("host_not_allowed", (await response.ErrorAsync()).GetProperty("code").GetString());
        }
    }

    [Theory]
    [InlineData("http://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("null", HttpStatusCode.Forbidden)]
    [InlineData("http://localhost:1", HttpStatusCode.Forbidden)]
    [InlineData("http://127.0.0.1:{0}", HttpStatusCode.OK)]
    public async Task The_keyless_port_refuses_foreign_web_pages(string origin, HttpStatusCode status)
    {
        await using var gateway = await TestGateway.BeforeAsync();

        using var response = await gateway.SendAsync(
            HttpMethod.Get, "/v1/models", headers: headers => headers.Add("Origin", string.Format(origin, gateway.Address.Port)));

        Assert.Equal(status, response.StatusCode);
        Assert.Null(response.Header("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task An_origin_that_was_opened_passes_with_its_preflight_and_no_other_does()
    {
        await using var gateway = await TestGateway.StartAsync(new FakeClusterView(), ("Gateway:CorsOrigins:0", "https://chat.example"));

        using var preflight = await gateway.SendAsync(HttpMethod.Options, "/v1/chat/completions", headers: headers =>
        {
            headers.Add("Origin", "https://chat.example");
            headers.Add("Access-Control-Request-Method", "POST");
            headers.Add("Access-Control-Request-Headers", "authorization,content-type");
        });
        using var allowed = await gateway.SendAsync(HttpMethod.Get, "/v1/models", headers: headers => headers.Add("Origin", "https://chat.example"));
        using var refused = await gateway.SendAsync(HttpMethod.Get, "/v1/models", headers: headers => headers.Add("Origin", "https://evil.example"));

        Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
        Assert.Equal("https://chat.example", preflight.Header("Access-Control-Allow-Origin"));
        Assert.Equal("authorization,content-type", preflight.Header("Access-Control-Allow-Headers"));
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
        Assert.Equal("https://chat.example", allowed.Header("Access-Control-Allow-Origin"));
        Assert.Contains("x-request-id", allowed.Header("Access-Control-Expose-Headers"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    [Fact]
    public async Task The_keyless_port_ignores_a_key_that_is_sent()
    {
        await using var gateway = await TestGateway.BeforeAsync();

        using var response = await gateway.SendAsync(HttpMethod.Get, "/v1/models", headers: headers => headers.Add("Authorization", "Bearer sk-anything"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData(null, HttpStatusCode.Unauthorized)]
    [InlineData("Bearer sk-wrong-wrong-wrong", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer # the team's", HttpStatusCode.Unauthorized)]
    [InlineData("Basic sk-first-key-0123456", HttpStatusCode.Unauthorized)]
    [InlineData("Bearer sk-first-key-0123456", HttpStatusCode.OK)]
    [InlineData("bearer sk-second-key-012345", HttpStatusCode.OK)]
    public async Task With_keys_only_their_holders_pass(string? authorization, HttpStatusCode status)
    {
        await File.WriteAllTextAsync(_keyFile, "# the team's\nsk-first-key-0123456\n\n  sk-second-key-012345  \n", TestTime.Limit());
        await using var gateway = await TestGateway.StartAsync(new FakeClusterView(), ("Gateway:ApiKeyFile", _keyFile));

        using var response = await gateway.SendAsync(HttpMethod.Get, "/v1/models", headers: headers =>
        {
            headers.Host = "anything.example";
            if (authorization is not null)
            {
                headers.TryAddWithoutValidation("Authorization", authorization);
            }
        });

        Assert.Equal(status, response.StatusCode);
        if (status == HttpStatusCode.Unauthorized)
        {
            Assert.Equal("invalid_api_key", (await response.ErrorAsync()).GetProperty("code").GetString());
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
        }
    }

    [Fact]
    public async Task Probes_need_no_key()
    {
        await File.WriteAllTextAsync(_keyFile, "sk-first-key-0123456", TestTime.Limit());
        await using var gateway = await TestGateway.StartAsync(new FakeClusterView(), ("Gateway:ApiKeyFile", _keyFile));

        using var health = await gateway.SendAsync(HttpMethod.Get, "/health");
        using var ready = await gateway.SendAsync(HttpMethod.Get, "/ready");

        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
    }

    [Fact]
    public async Task Nobody_else_can_pin_workers_or_pass_with_the_warm_up_header()
    {
        await File.WriteAllTextAsync(_keyFile, "sk-first-key-0123456", TestTime.Limit());
        await using var gateway = await TestGateway.StartAsync(new FakeClusterView(), ("Gateway:ApiKeyFile", _keyFile));

        using var response = await gateway.SendAsync(HttpMethod.Get, "/v1/models", headers: headers => headers.Add("x-serving-warm-up", new string('0', 64)));

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("with space")]
    [InlineData("quote\"")]
    [InlineData("a/../b")]
    public async Task Request_ids_are_taken_from_clients_only_when_harmless(string id)
    {
        await using var gateway = await TestGateway.BeforeAsync();

        using var response = await gateway.SendAsync(HttpMethod.Get, "/health", headers: headers => headers.TryAddWithoutValidation("x-request-id", id));
        using var tooLong = await gateway.SendAsync(HttpMethod.Get, "/health", headers: headers => headers.Add("x-request-id", new string('a', 129)));

        Assert.Equal(id == "a", response.Header("x-request-id") == id);
        Assert.StartsWith("req_", tooLong.Header("x-request-id"), StringComparison.Ordinal);
    }
}
