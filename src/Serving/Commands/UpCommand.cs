using System.CommandLine;
using System.Net;
using Serving.Cli.Output;
using Serving.Cli.Up;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Cli.Commands;

/// <summary><c>serving up</c>: starts the platform and keeps it running until it is told to stop.</summary>
internal sealed class UpCommand : Command
{
    private readonly Option<int> _port = new("--port")
    {
        Description = "Port that clients connect to",
        HelpName = "N",
        DefaultValueFactory = _ => PlatformSettings.DefaultPort,
    };

    private readonly Option<string> _host = new("--host")
    {
        Description = "IP address to listen on. Other machines reach any but a loopback address, so they need an API key there",
        HelpName = "ADDRESS",
        DefaultValueFactory = _ => PlatformSettings.DefaultHost,
    };

    private readonly Option<string> _redis = new("--redis")
    {
        Description = "A Redis that runs already, as host:port[,password=…] (default: one inside this process)",
        HelpName = "CONNECTION",
    };

    private readonly Option<string> _apiKey = new("--api-key")
    {
        Description = "Key that clients must send (default: SERVING_API_KEY; else none on loopback, and one made and shown once elsewhere)",
        HelpName = "KEY",
    };

    private readonly Option<string[]> _corsOrigins = new("--cors-origin")
    {
        Description = "Web origin whose pages may use the API, such as https://chat.example; may be given several times (default: none)",
        HelpName = "URL",
    };

    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "Show errors and the address only" };
    private readonly Option<bool> _verbose = new("--verbose", "-v") { Description = "Show what every process logs" };
    private readonly WorkerOptions _workers = new();
    private readonly Option<string> _data = CommandOptions.DataFolder();

    public UpCommand()
        : base("up", "Start the platform on this machine: gateway, prefill worker, decode worker, control and an embedded Redis. Ctrl-C stops it.")
    {
        _port.Validators.Add(result => CommandOptions.CheckRange(result, _port, 1, 65_535));
        _host.Validators.Add(result => CommandOptions.Check(result, _host, text => ParseHost(text) is not null, "is not an IP address: use one such as 127.0.0.1 or 0.0.0.0"));
        _corsOrigins.Validators.Add(result => CommandOptions.Check(result, _corsOrigins, origins => origins.All(IsOrigin), "is not a web origin such as https://chat.example"));
        CommandOptions.AddTo(this, [_port, _host, _data, .. _workers.All, _redis, _apiKey, _corsOrigins, _quiet, _verbose]);
        Validators.Add(result =>
        {
            if (result.GetValue(_quiet) && result.GetValue(_verbose))
            {
                result.AddError("--quiet and --verbose exclude each other.");
            }
        });
        SetAction((result, _) => RunAsync(result));
    }

    public static IReadOnlyList<string> Examples { get; } =
    [
        "serving up",
        "serving up --port 9000 --threads 4 --memory 8GiB",
        "serving up --model qwen=/models/Qwen2.5-0.5B-Instruct-Q4_0.gguf",
        "serving up --model all --model-alias gpt-4o-mini=smollm2-135m-instruct",
        "serving up --host 0.0.0.0 --redis 10.0.0.5:6379,password=secret",
    ];

    private async Task<int> RunAsync(ParseResult result)
    {
        var verbosity = result.GetValue(_quiet) ? Verbosity.Quiet : result.GetValue(_verbose) ? Verbosity.Verbose : Verbosity.Normal;
        var reporter = new Reporter(verbosity);
        using var signals = new StopSignals();
        try
        {
            var begin = TimeProvider.System.GetTimestamp();
            var settings = Read(result);
            await using var platform = await reporter.RunAsync(
                "Starting", () => Platform.StartAsync(settings, reporter, TimeProvider.System, signals.Stop));
            await ShowAsync(platform, TimeProvider.System.GetElapsedTime(begin));
            await Task.Delay(Timeout.Infinite, signals.Stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            reporter.Progress("Stopping; Ctrl-C again stops at once");
            await platform.StopAsync(signals.Kill);
            return 0;
        }
        catch (StartupException e)
        {
            reporter.Error(e.Message);
            return 1;
        }
        catch (OperationCanceledException)
        {
            // Told to stop before it was ready: an ordered stop all the same.
            return 0;
        }
    }

    private PlatformSettings Read(ParseResult result) =>
        _workers.Read(result, result.GetValue(_data)!) with
        {
            Host = ParseHost(result.GetValue(_host)!)!,
            Port = result.GetValue(_port),
            Redis = result.GetValue(_redis),
            ApiKey = result.GetValue(_apiKey) ?? CommandOptions.ApiKeyFromEnvironment(),
            CorsOrigins = result.GetValue(_corsOrigins) ?? [],
        };

    private static async Task ShowAsync(Platform platform, TimeSpan startTime)
    {
        var settings = platform.Settings;
        var output = Console.Out;
        await output.WriteLineAsync($"Listening on {settings.ListenUrl.GetLeftPart(UriPartial.Authority)} after {startTime.TotalSeconds:0.0} s. Models: {string.Join(", ", settings.Models.Select(model => model.Name))}");
        if (settings.ModelAliases.Count > 0)
        {
            await output.WriteLineAsync($"Aliases: {string.Join(", ", settings.ModelAliases.Select(alias => $"{alias.Name} for {alias.Model}"))}");
        }

        if (platform.Key.NewKey is { } key)
        {
            await output.WriteLineAsync($"API key, shown this once and kept in {platform.Key.File}: {key}");
        }

        await output.WriteLineAsync("Try it:");
        await output.WriteLineAsync("  " + CurlExample.For(settings.LocalUrl, settings.Models[0], platform.Key.File));
        await output.FlushAsync();
    }

    private static IPAddress? ParseHost(string text) =>
        string.Equals(text, "localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback
        : IPAddress.TryParse(text, out var address) ? address
        : null;

    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme is "http" or "https") && text.TrimEnd('/') == uri.GetLeftPart(UriPartial.Authority);
}
