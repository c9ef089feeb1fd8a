using System.Net;
using Serving.Cli.Machine;
using Serving.Cli.Models;
using Serving.Engine.KvCache;

namespace Serving.Cli.Up;

/// <summary>A platform as it was asked for, with every default filled in.</summary>
internal sealed record PlatformSettings
{
    public const int DefaultPort = 8080;
    public const string DefaultHost = "127.0.0.1";
    public const string DefaultDataFolder = ".serving";

    public IPAddress Host { get; init; } = IPAddress.Loopback;

    public int Port { get; init; } = DefaultPort;

    public string DataFolder { get; init; } = DefaultDataFolder;

    /// <summary>Connection string of a Redis that runs already; null: the embedded one.</summary>
    public string? Redis { get; init; }

    /// <summary>What every worker loads; at least one. The first is the one that examples name.</summary>
    public required IReadOnlyList<ModelFile> Models { get; init; }

    public IReadOnlyList<ModelAlias> ModelAliases { get; init; } = [];

    public required WorkerShare Prefill { get; init; }

    public required WorkerShare Decode { get; init; }

    /// <summary><c>fast</c> or <c>fp32</c>.</summary>
    public string Compute { get; init; } = "fast";

    /// <summary>How workers store the KV cache; null: as <see cref="Compute"/> says.</summary>
    public KvDataType? KvType { get; init; }

    /// <summary>Whether workers keep computed KV blocks for prompts with the same beginning.</summary>
    public bool PrefixCache { get; init; } = true;

    /// <summary>Whether workers guess tokens by prompt lookup.</summary>
    public bool Speculation { get; init; } = true;

    /// <summary>The folder of packed weights; empty: workers pack into memory; null: one in the data folder.</summary>
    public string? WeightCache { get; init; }

    public string? ApiKey { get; init; }

    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>What the gateway listens on.</summary>
    public Uri ListenUrl => Url(Host);

    /// <summary>Where this machine reaches the gateway, also when it listens on every address.</summary>
    public Uri LocalUrl => Url(Host.Equals(IPAddress.Any) ? IPAddress.Loopback : Host.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : Host);

    /// <summary>What <c>serving up</c> without options means.</summary>
    public static PlatformSettings Default(string dataFolder, string baseDirectory)
    {
        var (prefill, decode) = WorkerShare.Divide(MachineResources.Read(), threads: null, memoryBytes: null);
        return new PlatformSettings
        {
            DataFolder = dataFolder,
            Models = ModelFile.ResolveAll([], new ModelStore(dataFolder, baseDirectory)),
            Prefill = prefill,
            Decode = decode,
        };
    }

    private Uri Url(IPAddress address) => new($"http://{new IPEndPoint(address, Port)}");
}
