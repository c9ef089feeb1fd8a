using System.Net;
using System.Net.Sockets;
using System.Text;
using Serving.Contracts.Cluster;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

/// <summary>Every kind of mistake at every route with a body or a query.</summary>
public sealed class InvalidRequestTests
{
    private const string Embedder = "mini";

    /// <summary>Mistakes that a JSON body can have whatever its fields are.</summary>
    private static readonly Mistake[] _everywhere =
    [
        Mistake.Syntax, Mistake.WrongType, Mistake.Missing, Mistake.DeepNesting, Mistake.TooLarge, Mistake.InvalidUtf8, Mistake.LoneSurrogate, Mistake.Duplicate, Mistake.MediaType,
    ];

    [Fact]
    public async Task A_mistake_is_refused_and_named_before_a_worker_hears_of_it()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await BeforeAsync(worker);
        var file = await gateway.StoreAsync(BatchInputs.Lines(1), "batch");
        var chat = await IdAsync(gateway, "/v1/chat/completions", Bodies.Chat("\"store\":true"));
        var response = await IdAsync(gateway, "/v1/responses", $$"""{"model":"{{Workers.Model}}","input":"Hi"}""");
        var endpoints = InvalidRequests.Endpoints(Embedder, file, chat);
        var (before, stored) = (worker.RequestCount, gateway.StoredFiles().Length);
        List<string> wrong = [];

        foreach (var request in InvalidRequests.All(Embedder, file, chat, response))
        {
            using var message = request.ToMessage();
            using var refusal = await gateway.Client.SendAsync(message, TestTime.Limit());
            if (await WhatIsWrongAsync(request, refusal) is { } reason)
            {
                wrong.Add($"{request}\n    {reason}");
            }
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count}:\n{string.Join('\n', wrong.Take(40))}");
        Assert.Equal(before, worker.RequestCount);
        Assert.Equal(stored, gateway.StoredFiles().Length);
        Assert.All(endpoints, endpoint => Assert.Empty(_everywhere.Except(endpoint.Mistakes.Select(mistake => mistake.Mistake))));
        foreach (var endpoint in endpoints)
        {
            // What the mistakes were made in is right, and it is served after all of them.
            using var answer = await gateway.SendAsync(HttpMethod.Post, endpoint.Path, endpoint.Valid);
            Assert.True(answer.IsSuccessStatusCode, $"{endpoint.Path}: {await answer.Content.ReadAsStringAsync(TestTime.Limit())}");
        }
    }

    public static TheoryData<string> Bodies_go_to => [.. InvalidRequests.Endpoints(Embedder, "file-x", "chatcmpl-x").Select(endpoint => endpoint.Path), "/v1/files"];

    /// <summary>Only the head is ever sent: whoever waits for the body to come would wait for ever.</summary>
    [Theory]
    [MemberData(nameof(Bodies_go_to))]
    public async Task A_length_over_the_limit_is_refused_before_a_byte_of_the_body_is_read(string path)
    {
        await using var gateway = await TestGateway.BeforeAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, gateway.Address.Port, TestTime.Limit());
        var stream = socket.GetStream();
        var (type, length) = path == "/v1/files" ? ("multipart/form-data; boundary=b", 600L << 20) : ("application/json", JsonEndpoint.BodyBytesMax + 1);
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: localhost:{gateway.Address.Port}\r\nContent-Type: {type}\r\nContent-Length: {length}\r\n\r\n"), TestTime.Limit());

        using var reader = new StreamReader(stream);
        Assert.Equal("HTTP/1.1 413 Payload Too Large", await reader.ReadLineAsync(TestTime.Limit()));
    }

    private static async Task<string?> WhatIsWrongAsync(InvalidRequest request, HttpResponseMessage refusal)
    {
        var text = await refusal.Content.ReadAsStringAsync(TestTime.Limit());
        if ((int)refusal.StatusCode != request.Status)
        {
            return $"{(int)refusal.StatusCode} {text}";
        }

        // Anthropic's errors have no member for the field: the message names it.
        var isAnthropics = request.Path.StartsWith("/v1/messages", StringComparison.Ordinal);
        var error = isAnthropics ? (await refusal.JsonAsync()).GetProperty("error") : await refusal.ErrorAsync();
        var isNamed = request.Param is null || error.GetProperty("message").GetString()!.Contains($"'{request.Param}'", StringComparison.Ordinal);
        return isNamed && error.GetProperty("type").GetString() is "invalid_request_error" or "request_too_large" && (isAnthropics || error.GetProperty("param").GetString() == request.Param || request.Status == 413)
            ? null
            : text;
    }

    private static async Task<string> IdAsync(TestGateway gateway, string path, string body)
    {
        using var response = await gateway.SendAsync(HttpMethod.Post, path, body);
        return (await response.JsonAsync()).GetProperty("id").GetString()!;
    }

    /// <summary>A gateway whose one worker writes and embeds.</summary>
    private static Task<TestGateway> BeforeAsync(StubWorker worker)
    {
        var cluster = new FakeClusterView();
        var embedder = new ServedModel(Embedder, "", 512, DateTimeOffset.UnixEpoch, "unknown", ModelKind.Embedding, EmbeddingWidth: 2);
        cluster.Add(worker.Registration(Workers.Served(), embedder), worker.Registration(Workers.Served(), embedder) with { Id = "prefill-1", Role = WorkerRole.Prefill });
        return TestGateway.StartAsync(cluster);
    }
}
