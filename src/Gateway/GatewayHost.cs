using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Serving.Gateway.Batches;
using Serving.Gateway.Chat;
using Serving.Gateway.Chat.Stored;
using Serving.Gateway.Completions;
using Serving.Gateway.Configuration;
using Serving.Gateway.Embeddings;
using Serving.Gateway.Files;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Generation;
using Serving.Gateway.Health;
using Serving.Gateway.Http;
using Serving.Gateway.Messages;
using Serving.Gateway.Models;
using Serving.Gateway.OpenApi;
using Serving.Gateway.Placement;
using Serving.Gateway.Responses;
using Serving.Gateway.Security;
using Serving.Gateway.Telemetry;
using Serving.Gateway.Tokens;
using Serving.Gateway.WarmUp;
using Serving.Policies.Placement;
using Serving.ServiceDefaults.Hosting;
using Serving.Storage;

namespace Serving.Gateway;

/// <summary>The gateway's parts. It needs an <c>IClusterView</c>, a <c>ClusterSecret</c> and a connection to Redis from elsewhere.</summary>
internal static class GatewayHost
{
    public static WebApplicationBuilder AddGateway(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddValidatedOptions<GatewayOptions, GatewayOptionsValidator>(GatewayOptions.Section);
        services.TryAddSingleton(TimeProvider.System);
        services.AddStorage();
        services.AddSingleton<FileStore>();
        services.AddSingleton<StoredChats>();
        services.AddBatches();
        services.AddHttpForwarder();
        services.AddCors();
        services.AddOptions<CorsOptions>().Configure<IOptions<GatewayOptions>>(AddCorsPolicy);
        services.AddSingleton<WarmUpToken>();
        services.AddSingleton(provider => ApiKeys.Of(provider.GetRequiredService<IOptions<GatewayOptions>>().Value));
        services.AddSingleton<KnownModels>();
        services.AddSingleton<ModelDirectory>();
        services.AddSingleton<PhasePlacementPolicy>();
        services.AddSingleton<PhasePlacer>();
        services.AddSingleton<WorkerClient>();
        services.AddSingleton<AnswerOpener>();
        services.AddSingleton<CompletionHandler>();
        services.AddSingleton<CompletionForwarder>();
        services.AddSingleton<GenerationPipeline>();
        services.AddSingleton<StoredResponses>();
        services.AddSingleton<ResponseRequestReader>();
        services.AddSingleton<ResponsesApi>();
        services.AddSingleton<BackgroundResponses>();
        services.AddHostedService(provider => provider.GetRequiredService<BackgroundResponses>());
        services.AddSingleton<TokensApi>();
        services.AddSingleton<EmbeddingPipeline>();
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton<RequestTelemetry>();
        services.AddSingleton<WarmState>();
        services.AddSingleton<WarmUpClient>();
        services.AddSingleton<Readiness>();
        services.AddHostedService<WarmUpService>();
        builder.WebHost.ConfigureKestrel(Listen);
        return builder;
    }

    public static WebApplication MapGateway(this WebApplication app)
    {
        // Looking at the cluster begins with the host, not with the first request. Before the start the options are not validated yet.
        app.Lifetime.ApplicationStarted.Register(() => app.Services.GetRequiredService<KnownModels>());
        app.UseMiddleware<RequestIdMiddleware>();
        app.UseMiddleware<FailureMiddleware>();
        // Before the access check: a browser's preflight carries no key.
        app.UseWhen(HasCorsOrigins, branch => branch.UseCors());
        app.UseMiddleware<AccessMiddleware>();
        app.UseRouting();
        ChatCompletionsApi.Map(app);
        CompletionsApi.Map(app);
        MessagesApi.Map(app);
        ResponsesApi.Map(app);
        EmbeddingsApi.Map(app);
        TokensApi.Map(app);
        ModelsApi.Map(app);
        FilesApi.Map(app);
        StoredChatsApi.Map(app);
        BatchesApi.Map(app);
        HealthApi.Map(app);
        OpenApiApi.Map(app);
        return app;
    }

    private static bool HasCorsOrigins(HttpContext context) =>
        context.RequestServices.GetRequiredService<IOptions<GatewayOptions>>().Value.CorsOrigins.Count > 0;

    private static void AddCorsPolicy(CorsOptions cors, IOptions<GatewayOptions> options) => cors.AddDefaultPolicy(
        policy => policy.WithOrigins([.. options.Value.CorsOrigins]).AllowAnyHeader().AllowAnyMethod().WithExposedHeaders(ExposedHeaders.All));

    private static void Listen(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        // JsonBody holds the limit. Kestrel's own would close the connection on a client that is still sending, and the 413 would be lost.
        kestrel.Limits.MaxRequestBodySize = null;
        // The server is built before the options are validated; an address that is none stops the start there, with all other mistakes.
        var options = kestrel.ApplicationServices.GetRequiredService<IConfiguration>().GetSection(GatewayOptions.Section);
        if (ListenAddress.Parse(options[nameof(GatewayOptions.Listen)] ?? new GatewayOptions().Listen) is { } listen)
        {
            kestrel.Listen(listen.Address, listen.Port);
        }
    }
}
