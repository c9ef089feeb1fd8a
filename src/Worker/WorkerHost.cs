using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serving.Contracts.Cluster;
using Serving.ServiceDefaults.Cluster;
using Serving.ServiceDefaults.Hosting;
using Serving.ServiceDefaults.Security;
using Serving.ServiceDefaults.Telemetry;
using Serving.Transfer;
using Serving.Worker.Completions;
using Serving.Worker.Embeddings;
using Serving.Worker.Models;
using Serving.Worker.Prefill;
using Serving.Worker.State;
using Serving.Worker.Tokens;

namespace Serving.Worker;

/// <summary>What both worker hosts are made of: a role's endpoints around the same models, engine and KV data plane.</summary>
public static class WorkerHost
{
    /// <summary>Builds and runs a worker until it is told to stop.</summary>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(WorkerRole role, string[] args)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
        builder.AddServiceDefaults(role == WorkerRole.Prefill ? "prefill-worker" : "decode-worker").UseInternalEndpoint();
        builder.Services.AddModels().AddPhase(role);
        WebApplication app = builder.Build();
        app.UseInternalAuthentication();
        app.MapMetrics();
        app.MapPhase(role);
        int exitCode = await app.RunToExitCodeAsync();
        return exitCode != 0 ? exitCode : Environment.ExitCode;
    }

    /// <summary>The models of the worker's options, and its place in the registry once they are warm.</summary>
    private static IServiceCollection AddModels(this IServiceCollection services)
    {
        services.AddValidatedOptions<WorkerOptions, WorkerOptionsValidator>(WorkerOptions.Section);
        services.AddSingleton<ModelLoading>();
        services.AddSingleton<ModelHost>();
        services.AddSingleton<IModelSet>(provider => provider.GetRequiredService<ModelHost>());
        services.AddWorkerRegistrar();
        services.AddHostedService(provider => provider.GetRequiredService<ModelHost>());
        return services.AddHostedService<WorkerPresence>();
    }

    /// <summary>What serves a phase, whatever the models are and whoever finds the worker.</summary>
    internal static IServiceCollection AddPhase(this IServiceCollection services, WorkerRole role)
    {
        services.AddSingleton(provider => WorkerIdentity.Create(role, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<KvTransferOptions>();
        services.AddSingleton<KvTransferMetrics>();
        services.AddSingleton<WorkerAddress>();
        services.AddSingleton<WorkerStatus>();
        if (role == WorkerRole.Prefill)
        {
            services.AddGrpc();
            services.AddSingleton(provider => new KvSender(
                provider.GetRequiredService<KvTransferOptions>(),
                provider.GetRequiredService<ClusterSecret>().KvKey,
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<KvTransferMetrics>(),
                provider.GetRequiredService<ILogger<KvSender>>()));
        }
        else
        {
            services.AddSingleton(provider => new KvReceiver(
                provider.GetRequiredService<KvTransferOptions>(),
                provider.GetRequiredService<ClusterSecret>().KvKey,
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<KvTransferMetrics>(),
                provider.GetRequiredService<ILogger<KvReceiver>>()));
            services.AddHostedService<KvListener>();
            services.AddSingleton<PrefillClient>();
            services.AddSingleton<CompletionRunner>();
        }

        return services;
    }

    internal static void MapPhase(this WebApplication app, WorkerRole role)
    {
        app.MapState();
        app.MapEmbeddings();
        if (role == WorkerRole.Prefill)
        {
            app.MapGrpcService<PrefillApi>();
        }
        else
        {
            app.MapCompletions();
            app.MapTokens();
        }
    }
}
