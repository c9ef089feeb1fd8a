using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Serving.Contracts.Cluster;
using Serving.Engine.Formats;
using Serving.Engine.Sampling;
using Serving.Engine.PackedWeights;
using Serving.ServiceDefaults.Hosting;
using Serving.ServiceDefaults.Security;
using Serving.TestKit;
using Serving.Text.Tokenization;
using Serving.Text.ToolCalls;
using Serving.Worker.Embeddings;
using Serving.Worker.Loop;
using Serving.Worker.Models;
using Serving.Worker.State;

namespace Serving.Worker.Tests.HandOff;

/// <summary>A worker of one phase in this process: real HTTP/2, gRPC and KV sockets on loopback around a model with known logits.</summary>
internal sealed class WorkerUnderTest : IModelSet, IAsyncDisposable
{
    public const string ModelName = "fake";
    private static readonly ClusterSecret _secret = new(new byte[32]);
    private readonly WebApplication _app;
    private readonly ModelRuntime _model;
    private int _connections;

    private WorkerUnderTest(WebApplication app, ModelRuntime model, FakeModelExecutor executor)
    {
        _app = app;
        _model = model;
        Executor = executor;
    }

    public FakeModelExecutor Executor { get; }

    /// <summary>How many connections to its internal API there have been.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public EngineLoop Engine => _model.Engine;

    public string Address => _app.Services.GetInternalAddress();

    public WorkerState State => _app.Services.GetRequiredService<WorkerStatus>().State();

    public IReadOnlyList<ModelRuntime> Models => [_model];

    public IReadOnlyList<SentenceEmbedder> Embedders { get; set; } = [];

    public static HttpClient Client(string address) => InternalHttp.CreateClient(_secret, new Uri(address));

    public static async Task<WorkerUnderTest> StartAsync(
        WorkerRole role, string kvFingerprint = "fake-kv", SamplingDefaults? samplingDefaults = null, int[]? endTokens = null, int[]? windows = null)
    {
        FakeModelExecutor executor = new(kvFingerprint: kvFingerprint, windows: windows);
        ITokenizer tokenizer = LetterTokenizer(executor.Model.VocabularySize);
        AnswerFormat format = AnswerFormat.Of(tokenizer, template: null);
        ModelRuntime model = new(
            new ServedModel(ModelName, kvFingerprint, executor.Model.ContextLength, DateTimeOffset.UnixEpoch, "tests"),
            executor,
            new EngineLoop(executor, new EngineLoopOptions(), TimeProvider.System, NullLogger.Instance),
            tokenizer,
            new PromptEncoder(tokenizer, template: null, format, bosToken: null, eosToken: null, TimeProvider.System),
            format,
            new GrammarCompiler(() => TokenizerVocabulary.Of(tokenizer, executor.Model.VocabularySize)),
            samplingDefaults ?? SamplingDefaults.None,
            new ModelMemory(KvBytes: 5, OwnWeightBytes: 4, MappedWeightBytes: 3, ScratchBytes: 2, WeightCacheReport.None),
            EndTokens: endTokens);

        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        WorkerUnderTest? worker = null;
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.Use(next => connection =>
            {
                Interlocked.Increment(ref worker!._connections);
                return next(connection);
            });
        }));
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton(_secret).AddMetrics();
        builder.Services.AddSingleton<IModelSet>(_ => worker!);
        builder.Services.AddPhase(role);
        WebApplication app = builder.Build();
        app.UseInternalAuthentication();
        app.MapPhase(role);
        worker = new WorkerUnderTest(app, model, executor);
        await app.StartAsync();
        return worker;
    }

    public bool TryGet(string name, [NotNullWhen(true)] out ModelRuntime? model)
    {
        model = name == ModelName ? _model : null;
        return model is not null;
    }

    /// <summary>
    /// Waits until no sequence holds a KV block and no lease is open: the engine releases those of a request that was given up between two steps, and the
    /// ends of calls cross the network, so that may be a moment after the answer.
    /// </summary>
    public async Task WaitUntilNothingIsHeldAsync()
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(20));
        while ((State.Load.KvBlocksUsed, State.OpenLeases) != (0, 0))
        {
            Assert.False(patience.IsCancellationRequested, $"a worker still holds {State}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _model.DisposeAsync();
    }

    /// <summary>One letter a token: A, B, C …</summary>
    internal static ITokenizer LetterTokenizer(int vocabularySize) => GgufTokenizer.Create(new GgufVocabulary
    {
        Model = "gpt2",
        Pre = "gpt-2",
        Tokens = [.. Enumerable.Range(0, vocabularySize).Select(i => $"{(char)('A' + i)}")],
        Merges = ImmutableArray<string>.Empty,
    });
}
