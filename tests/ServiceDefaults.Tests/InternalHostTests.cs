using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Serving.ServiceDefaults.Hosting;
using Serving.ServiceDefaults.Security;
using Serving.ServiceDefaults.Telemetry;

namespace Serving.ServiceDefaults.Tests;

public sealed class InternalHostTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("Bearer wrong")]
    [InlineData("Bearer")]
    [InlineData("Basic abc")]
    public async Task Refuses_whoever_lacks_the_token_on_every_route(string? authorization)
    {
        await using var host = await TestHost.StartAsync();
        using var client = new HttpClient(InternalHttp.CreateSocketsHandler());
        foreach (var route in new[] { "/hello", "/metrics", "/missing" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, host.Address + route) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }
    }

    [Fact]
    public async Task Serves_a_client_of_the_same_cluster()
    {
        await using var host = await TestHost.StartAsync();
        using var client = InternalHttp.CreateClient(host.Secret, new Uri(host.Address));
        Assert.Equal("hello", await client.GetStringAsync("/hello", TestContext.Current.CancellationToken));
        Assert.Contains("# TYPE", await client.GetStringAsync("/metrics", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Speaks_no_http_1()
    {
        await using var host = await TestHost.StartAsync();
        using var client = new HttpClient();
        using var response = await client.GetAsync(host.Address + "/hello", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Advertises_another_host_name_with_the_bound_port()
    {
        await using var host = await TestHost.StartAsync("--Cluster:AdvertiseHost=worker-7.example");
        Assert.Matches(@"^http://worker-7\.example:\d+$", host.App.Services.GetInternalAddress());
    }

    [Fact]
    public async Task Reports_every_mistake_at_once()
    {
        var app = TestHost.Build(["--Cluster:Redis=", "--Cluster:SecretFile=", "--Cluster:ListenHost=nowhere", "--Cluster:Port=70000", "--Cluster:LeaseSeconds=0"]);
        await using (app)
        {
            var e = await Assert.ThrowsAnyAsync<Exception>(() => app.StartAsync(TestContext.Current.CancellationToken));
            var mistakes = HostRun.OperatorMistakes(e);
            Assert.Equal(5, mistakes.Count);
            foreach (var word in new[] { "Redis", "SecretFile", "ListenHost", "Port", "LeaseSeconds" })
            {
                Assert.Contains(mistakes, mistake => mistake.Contains(word));
            }
        }
    }

    [Fact]
    public async Task An_address_for_everyone_needs_a_name_to_be_reached_at()
    {
        var app = TestHost.Build(["--Cluster:Redis=127.0.0.1:1", "--Cluster:SecretFile=x", "--Cluster:ListenHost=0.0.0.0"]);
        await using (app)
        {
            var e = await Assert.ThrowsAnyAsync<Exception>(() => app.StartAsync(TestContext.Current.CancellationToken));
            Assert.Contains("AdvertiseHost", Assert.Single(HostRun.OperatorMistakes(e)));
        }
    }
}
