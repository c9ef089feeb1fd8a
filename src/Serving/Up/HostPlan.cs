using System.Globalization;
using Serving.Cli.Machine;
using Serving.Cli.State;
using Serving.Cli.Supervision;

namespace Serving.Cli.Up;

/// <summary>The processes of a platform and how each is told what to do: by environment variables, which bind to the hosts' options.</summary>
internal sealed record HostPlan(ChildSpec Gateway, ChildSpec PrefillWorker, ChildSpec DecodeWorker, ChildSpec Control)
{
    // Together with the embedded Redis, which gets a second, an ordered stop is bounded by ten seconds.
    private const int GatewayStopSeconds = 4;
    private const int WorkerStopSeconds = 3;
    private const int ControlStopSeconds = 2;

    /// <summary>Where the last thing that is stopped comes last.</summary>
    public IReadOnlyList<ChildSpec> All => [Gateway, PrefillWorker, DecodeWorker, Control];

    public static HostPlan Create(PlatformSettings settings, DataFolder folder, HostLocator locator, string redis, string? apiKeyFile)
    {
        return new HostPlan(
            Spec("gateway", "Gateway", GatewayStopSeconds, GatewayVariables(settings, folder, apiKeyFile)),
            Spec("prefill-worker", "PrefillWorker", WorkerStopSeconds, WorkerVariables(settings, folder, settings.Prefill)),
            Spec("decode-worker", "DecodeWorker", WorkerStopSeconds, DecodeWorkerVariables(settings, folder)),
            Spec("control", "Control", ControlStopSeconds, []));

        ChildSpec Spec(string name, string project, int stopSeconds, Dictionary<string, string?> own)
        {
            var (program, arguments) = locator.Find(project);
            foreach (var (key, value) in CommonVariables(settings, folder, redis, stopSeconds))
            {
                own[key] = value;
            }

            return new ChildSpec(name, program, arguments, own, folder.Root, TimeSpan.FromSeconds(stopSeconds));
        }
    }

    private static Dictionary<string, string?> CommonVariables(PlatformSettings settings, DataFolder folder, string redis, int stopSeconds) => new()
    {
        ["Cluster__Redis"] = redis,
        ["Cluster__RedisPasswordFromSecret"] = settings.Redis is null ? "true" : "false",
        ["Cluster__SecretFile"] = folder.SecretFile,
        ["Cluster__StopWithParent"] = "true",
        ["Cluster__StopSecondsMax"] = Text(stopSeconds),
        // What the hosts listen on is told above and nowhere else.
        ["ASPNETCORE_URLS"] = null,
        ["ASPNETCORE_HTTP_PORTS"] = null,
        ["ASPNETCORE_ENVIRONMENT"] = "Production",
        ["DOTNET_ENVIRONMENT"] = null,
        ["DOTNET_hostBuilder__reloadConfigOnChange"] = "false",
        // The runtime's diagnostics sockets lie in the temporary folder and outlive a process that is killed. Set it to 1 to attach a tool.
        ["DOTNET_EnableDiagnostics"] = Environment.GetEnvironmentVariable("DOTNET_EnableDiagnostics") ?? "0",
    };

    private static Dictionary<string, string?> GatewayVariables(PlatformSettings settings, DataFolder folder, string? apiKeyFile)
    {
        var variables = new Dictionary<string, string?>
        {
            ["Gateway__Listen"] = settings.ListenUrl.GetLeftPart(UriPartial.Authority),
            ["Gateway__ApiKeyFile"] = apiKeyFile,
            ["Storage__Folder"] = folder.Stored,
        };
        for (var i = 0; i < settings.CorsOrigins.Count; i++)
        {
            variables[$"Gateway__CorsOrigins__{Text(i)}"] = settings.CorsOrigins[i];
        }

        foreach (var alias in settings.ModelAliases)
        {
            variables[$"Gateway__ModelAliases__{alias.Name}"] = alias.Model;
        }

        return variables;
    }

    /// <summary>A collection holds every answer up: there are fewer when more garbage may gather before, in hexadecimal 64 MiB. The runtime has no other setting for it.</summary>
    private static Dictionary<string, string?> DecodeWorkerVariables(PlatformSettings settings, DataFolder folder) =>
        new(WorkerVariables(settings, folder, settings.Decode)) { ["DOTNET_GCgen0size"] = "4000000" };

    private static Dictionary<string, string?> WorkerVariables(PlatformSettings settings, DataFolder folder, WorkerShare share)
    {
        var variables = new Dictionary<string, string?>
        {
            ["Worker__Threads"] = Text(share.Threads),
            ["Worker__MemoryBytes"] = Text(share.MemoryBytes),
            ["Worker__Compute"] = settings.Compute,
            ["Worker__WeightCache"] = settings.WeightCache ?? folder.Weights,
            ["Worker__PrefixCache"] = settings.PrefixCache ? "true" : "false",
        };
        if (settings.KvType is { } kvType)
        {
            variables["Worker__KvType"] = kvType.ToString();
        }

        if (!settings.Speculation)
        {
            variables["Worker__DraftTokensMax"] = "0";
        }

        for (var i = 0; i < settings.Models.Count; i++)
        {
            variables[$"Worker__Models__{Text(i)}__Name"] = settings.Models[i].Name;
            variables[$"Worker__Models__{Text(i)}__Path"] = settings.Models[i].Path;
            if (settings.Models[i].ToolParser is { } parser)
            {
                variables[$"Worker__Models__{Text(i)}__ToolParser"] = parser;
            }
        }

        return variables;
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
