using System.Net;
using System.Net.Sockets;
using Serving.Cli.Output;
using Serving.Cli.State;
using Serving.Cli.Supervision;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Cli.Up;

/// <summary>A running platform: the embedded Redis in this process, and the hosts as processes of their own.</summary>
internal sealed class Platform : IAsyncDisposable
{
    private static readonly TimeSpan RedisStopTimeMax = TimeSpan.FromSeconds(1);

    private readonly PlatformSettings _settings;
    private readonly DataFolder _folder;
    private readonly PlatformObserver _observer;
    private readonly TimeProvider _time;
    private readonly List<Supervisor> _supervisors = [];
    private EmbeddedRedis? _redis;

    private Platform(PlatformSettings settings, DataFolder folder, Reporter reporter, TimeProvider time)
    {
        _settings = settings;
        _folder = folder;
        _time = time;
        _observer = new PlatformObserver(folder.Logs, reporter, time);
        Key = ApiKey.Prepare(settings, folder);
    }

    public ApiKey Key { get; }

    public PlatformSettings Settings => _settings;

    /// <summary>Starts everything and returns once a request would be served.</summary>
    /// <exception cref="StartupException">It cannot start; nothing is left running.</exception>
    /// <exception cref="OperationCanceledException">It was told to stop before; nothing is left running.</exception>
    public static async Task<Platform> StartAsync(PlatformSettings settings, Reporter reporter, TimeProvider time, CancellationToken cancellationToken)
    {
        RefuseBusyPort(settings);
        var platform = new Platform(settings, DataFolder.Open(settings.DataFolder), reporter, time);
        try
        {
            var redis = await platform.StartRedisAsync(reporter);
            platform.StartHosts(redis);
            reporter.Progress($"Starting gateway, prefill worker, decode worker and control; loading {string.Join(", ", settings.Models.Select(model => model.Name))}");
            await platform.WaitUntilReadyAsync(cancellationToken);
            return platform;
        }
        catch
        {
            await platform.StopAsync(cancellationToken);
            await platform.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops in the order in which requests flow: the gateway drains while workers still answer, Redis goes last.</summary>
    /// <param name="killToken">Kills what still runs, at once.</param>
    public async Task StopAsync(CancellationToken killToken)
    {
        using var kill = killToken.Register(() => _supervisors.ForEach(supervisor => supervisor.Kill()));
        _supervisors.ForEach(supervisor => supervisor.StopRestarting());
        string[][] order = [["gateway"], ["prefill-worker", "decode-worker"], ["control"]];
        foreach (var names in order)
        {
            await Task.WhenAll(_supervisors.Where(supervisor => names.Contains(supervisor.Name)).Select(supervisor => supervisor.StopAsync()));
        }

        if (Interlocked.Exchange(ref _redis, null) is { } redis)
        {
            // What is not written within the time is what a crash would lose, and that is not much.
            await Task.WhenAny(Task.Run(redis.Dispose, CancellationToken.None), Task.Delay(RedisStopTimeMax, CancellationToken.None));
        }
    }

    public ValueTask DisposeAsync()
    {
        _supervisors.ForEach(supervisor => supervisor.Dispose());
        _observer.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private static void RefuseBusyPort(PlatformSettings settings)
    {
        try
        {
            using var listener = new TcpListener(settings.Host, settings.Port);
            listener.Start();
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new StartupException($"Port {settings.Port} of {settings.Host} is in use: stop what uses it, or choose another port with --port.", e);
        }
        catch (SocketException e)
        {
            throw new StartupException($"Cannot listen on port {settings.Port} of {settings.Host}: {e.Message}. Choose others with --host and --port.", e);
        }
    }

    /// <returns>The hosts' connection string.</returns>
    private async Task<string> StartRedisAsync(Reporter reporter)
    {
        if (_settings.Redis is { } external)
        {
            reporter.Progress("Looking for Redis");
            await RedisProbe.CheckAsync(external);
            return external;
        }

        reporter.Progress("Starting the embedded Redis");
        var password = _folder.ReadSecret().RedisPassword;
        _redis = EmbeddedRedis.Start(_folder.Redis, password, Path.Combine(_folder.Logs, "redis.log"));
        await RedisProbe.ForgetWorkersAsync(_redis, password);
        return _redis.EndPoint.ToString();
    }

    private void StartHosts(string redis)
    {
        var plan = HostPlan.Create(_settings, _folder, new HostLocator(AppContext.BaseDirectory), redis, Key.File);
        var launcher = new ChildProcessLauncher();
        foreach (var spec in plan.All)
        {
            var supervisor = new Supervisor(spec, launcher, _observer, _time);
            _supervisors.Add(supervisor);
            supervisor.Start();
        }

        _folder.Announce(new RunningPlatform(Environment.ProcessId, _settings.LocalUrl.GetLeftPart(UriPartial.Authority), redis.Split(',')[0])
        {
            Models = [.. _settings.Models.Select(model => model.Path)],
        });
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ready = ReadyProbe.WaitAsync(_settings.LocalUrl, _time, waiting.Token);
        var failures = _supervisors.Select(supervisor => (Task)supervisor.GaveUp);
        await Task.WhenAny(failures.Prepend(ready));
        if (_supervisors.Find(supervisor => supervisor.GaveUp.IsCompleted) is { } failed)
        {
            await waiting.CancelAsync();
            throw new StartupException(Describe(failed));
        }

        if (!await ready)
        {
            throw new StartupException($"The platform was not ready after {ReadyProbe.TimeMax.TotalMinutes:0} minutes. Its logs are in {_folder.Logs}.");
        }

        _supervisors.ForEach(supervisor => supervisor.Establish());
    }

    private string Describe(Supervisor failed)
    {
        var log = _observer.Log(failed.Name);
        if (LogLine.LastWords(log.Tail) is { } reason)
        {
            return $"{failed.Name} cannot run: {reason} Its log: {log.Path}";
        }

        return $"""
            {failed.Name} cannot run: it ended with exit code {failed.GaveUp.Result} again and again. The end of its log, {log.Path}:
              {string.Join("\n  ", log.Tail)}
            """;
    }
}
