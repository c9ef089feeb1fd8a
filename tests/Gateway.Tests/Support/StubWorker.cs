using System.Net;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;

namespace Serving.Gateway.Tests.Support;

/// <summary>A decode worker over real HTTP/2 whose every answer is a script of the test.</summary>
internal sealed class StubWorker : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<CompletionRequest> _requests = Channel.CreateUnbounded<CompletionRequest>();

    private int _requestCount;

    private StubWorker(string id, WebApplication app)
    {
        Id = id;
        _app = app;
    }

    public string Id { get; }

    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>What a request is answered with.</summary>
    public Func<StubExchange, Task> Script { get; set; } = exchange => exchange.AnswerAsync("The capital", " of France", " is Paris.");

    /// <summary>What <c>tokenize</c> is answered with: a response, or an error.</summary>
    public Func<TokenizeRequest, IMessage> Tokenize { get; set; } = _ => new TokenizeResponse();

    /// <summary>The same for <c>detokenize</c>.</summary>
    public Func<DetokenizeRequest, IMessage> Detokenize { get; set; } = _ => new DetokenizeResponse();

    /// <summary>The same for <c>embeddings</c>: by default each input's vector is (3, 4) / 5, but for its first element's sign.</summary>
    public Func<EmbeddingsRequest, IMessage> Embed { get; set; } = request => Embeddings([.. request.Inputs.Select((_, i) => new[] { i % 2 == 0 ? 0.6f : -0.6f, 0.8f })]);

    /// <summary>The last request of the three; null: there was none.</summary>
    public IMessage? TokensRequest { get; private set; }

    /// <summary>The Authorization header of the last request.</summary>
    public string? Authorization { get; private set; }

    /// <summary>Requests of any kind.</summary>
    public int RequestCount => Volatile.Read(ref _requestCount);

    public static async Task<StubWorker> StartAsync(string id)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        var app = builder.Build();
        var worker = new StubWorker(id, app);
        app.MapPost(InternalApi.CompletionsRoute, worker.AnswerAsync);
        app.MapPost(InternalApi.TokenizeRoute, context => worker.AnswerAsync(context, TokenizeRequest.Parser, request => worker.Tokenize(request)));
        app.MapPost(InternalApi.DetokenizeRoute, context => worker.AnswerAsync(context, DetokenizeRequest.Parser, request => worker.Detokenize(request)));
        app.MapPost(InternalApi.EmbeddingsRoute, context => worker.AnswerAsync(context, EmbeddingsRequest.Parser, request => worker.Embed(request)));
        await app.StartAsync();
        return worker;
    }

    /// <summary>Vectors as a worker gives them, of three tokens each.</summary>
    public static EmbeddingsResponse Embeddings(params float[][] vectors) => new()
    {
        Worker = "stub",
        Embeddings = { vectors.Select(vector => new Embedding { Tokens = 3, Values = ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(vector)) }) },
    };

    public WorkerRegistration Registration(params ServedModel[] models) => Workers.Decode(Id, Address, models);

    /// <summary>The next request that has not been looked at.</summary>
    public async Task<CompletionRequest> RequestAsync() => await _requests.Reader.ReadAsync(TestTime.Limit());

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        now.Cancel();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private static async Task<T> ReadAsync<T>(HttpContext context, MessageParser<T> parser)
        where T : IMessage<T>
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        return parser.ParseFrom(body.ToArray());
    }

    private async Task AnswerAsync<T>(HttpContext context, MessageParser<T> parser, Func<T, IMessage> answer)
        where T : IMessage<T>
    {
        var request = await ReadAsync(context, parser);
        TokensRequest = request;
        Interlocked.Increment(ref _requestCount);
        var message = answer(request);
        var error = message as RequestError;
        context.Response.StatusCode = error?.Status ?? StatusCodes.Status200OK;
        context.Response.ContentType = error is null ? InternalApi.ResponseContentType : InternalApi.ErrorContentType;
        await context.Response.Body.WriteAsync(message.ToByteArray());
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = await ReadAsync(context, CompletionRequest.Parser);
        Authorization = context.Request.Headers.Authorization;
        Interlocked.Increment(ref _requestCount);
        _requests.Writer.TryWrite(request);
        await Script(new StubExchange(context, request, Id));
    }
}
