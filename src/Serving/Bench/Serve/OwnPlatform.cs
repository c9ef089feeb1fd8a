using Serving.Cli.Machine;
using Serving.Cli.Output;
using Serving.Cli.Up;

namespace Serving.Cli.Bench.Serve;

/// <summary>A platform for one benchmark: a free port, a data folder of its own, stopped and removed at the end.</summary>
internal sealed class OwnPlatform : IAsyncDisposable
{
    private readonly DirectoryInfo _data;
    private readonly Platform _platform;

    private OwnPlatform(DirectoryInfo data, Platform platform)
    {
        _data = data;
        _platform = platform;
    }

    public Uri Url => _platform.Settings.LocalUrl;

    /// <param name="speculation">Whether its workers guess tokens, which an engine that is measured by itself does not.</param>
    /// <exception cref="ServiceDefaults.Hosting.StartupException">It cannot start.</exception>
    public static async Task<OwnPlatform> StartAsync(ModelFile model, bool speculation, Reporter reporter, CancellationToken stop)
    {
        var data = Directory.CreateTempSubdirectory("serving-bench-");
        try
        {
            var (prefill, decode) = WorkerShare.Divide(MachineResources.Read(), threads: null, memoryBytes: null);
            var settings = new PlatformSettings { DataFolder = data.FullName, Port = FreePort.Find(), Models = [model], Prefill = prefill, Decode = decode, Speculation = speculation };
            return new OwnPlatform(data, await reporter.RunAsync("Starting a platform for this benchmark", () => Platform.StartAsync(settings, reporter, TimeProvider.System, stop)));
        }
        catch
        {
            data.Delete(recursive: true);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _platform.StopAsync(CancellationToken.None);
        await _platform.DisposeAsync();
        _data.Delete(recursive: true);
    }
}
