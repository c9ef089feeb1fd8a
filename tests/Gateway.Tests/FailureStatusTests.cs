using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Serving.Contracts.Cluster;
using Serving.Gateway.Http;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

/// <summary>The statuses that no client and no worker asks for.</summary>
public sealed class FailureStatusTests
{
    [Fact]
    public async Task A_bug_of_ours_is_a_500_that_says_where_to_look_and_nothing_of_itself()
    {
        var context = new DefaultHttpContext { Response = { Body = new MemoryStream() } };
        var middleware = new FailureMiddleware(_ => throw new InvalidOperationException("a secret"), NullLogger<FailureMiddleware>.Instance);

        await middleware.InvokeAsync(context);

        context.Response.Body.Position = 0;
        Assert.Equal((StatusCodes.Status500InternalServerError, "application/json"), (context.Response.StatusCode, context.Response.ContentType));
        Assert.Equal(
            """{"error":{"message":"The gateway failed; its log has more under this x-request-id.","type":"server_error","param":null,"code":"internal_error"}}""",
            (await JsonDocument.ParseAsync(context.Response.Body)).RootElement.GetRawText());
    }

    [Theory]
    [InlineData("/v1/completions", "prompt")]
    [InlineData("/v1/embeddings", "input")]
    public async Task A_client_that_leaves_is_a_499_in_the_log(string route, string field)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        using var begun = new SemaphoreSlim(0);
        using var goOn = new ManualResetEventSlim();
        worker.Script = exchange =>
        {
            begun.Release();
            return exchange.UntilCancelledAsync();
        };
        worker.Embed = _ =>
        {
            begun.Release();
            goOn.Wait(TestTime.LimitTime);
            return StubWorker.Embeddings([1f, 0f]);
        };
        var cluster = new FakeClusterView();
        var served = Workers.Served() with { EmbeddingWidth = 2 };
        cluster.Add(worker.Registration(served), worker.Registration(served) with { Id = "prefill-1", Role = WorkerRole.Prefill });
        await using var gateway = await TestGateway.StartAsync(cluster, ("Logging:LogLevel:Default", "Debug"));
        using var log = new CapturedLog();
        gateway.Services.GetRequiredService<ILoggerFactory>().AddProvider(log);
        using var leaving = new CancellationTokenSource();

        using var body = new StringContent($$"""{"model":"{{Workers.Model}}","{{field}}":"a"}""", null, "application/json");
        using var message = new HttpRequestMessage(HttpMethod.Post, route) { Content = body };
        message.Headers.Add("x-request-id", "req-leaving");
        var answer = gateway.Client.SendAsync(message, leaving.Token);
        await begun.WaitAsync(TestTime.Limit());
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);

        Assert.StartsWith("Request req-leaving ended with 499: the client went away", await log.LineAsync("req-leaving ended"), StringComparison.Ordinal);
        goOn.Set();
    }
}
