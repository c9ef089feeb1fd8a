using Microsoft.Extensions.Options;
using Serving.Contracts.Cluster;
using Serving.Gateway.Configuration;
using Serving.Gateway.Placement;
using Serving.Grammars;

namespace Serving.Gateway.WarmUp;

/// <summary>
/// Warms each pair of workers up as it appears, the gateway's own code with it, by real requests through the whole path. The first users
/// after <c>/ready</c> then wait no longer than the tenth.
/// </summary>
internal sealed partial class WarmUpService(
    IClusterView cluster,
    WarmState state,
    WarmUpClient client,
    IHostApplicationLifetime life,
    TimeProvider time,
    IOptions<GatewayOptions> options,
    ILogger<WarmUpService> logger) : BackgroundService
{
    private static readonly TimeSpan _retryDelay = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var signal = new ClusterSignal(cluster);
        await StartedAsync(stoppingToken);
        if (options.Value.WarmUpRoundsMax > 0)
        {
            GrammarWarmUp.Check();
        }

        while (true)
        {
            var current = cluster.Current;
            state.KeepOnly(current.Workers.Select(worker => worker.Registration.Id).ToHashSet());
            if (WarmUpPair.Next(current, state) is not { } pair)
            {
                await signal.WaitAsync(stoppingToken);
            }
            else if (await WarmAsync(pair, stoppingToken))
            {
                state.Add(pair);
            }
            else
            {
                await Task.Delay(_retryDelay, time, stoppingToken);
            }
        }
    }

    private async Task StartedAsync(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = life.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(cancellationToken);
    }

    /// <summary>False when a request failed; the pair is then tried again, if it is still there.</summary>
    private async Task<bool> WarmAsync(WarmUpPair pair, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var progress = new WarmUpProgress();
        try
        {
            for (var round = 0; round < options.Value.WarmUpRoundsMax && !progress.IsSteady; round++)
            {
                progress.Add(await client.RunRoundAsync(pair, cancellationToken));
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            LogFailed(pair.Model.Name, pair.PrefillWorkerId, pair.DecodeWorkerId, exception.Message);
            return false;
        }

        LogWarm(pair.Model.Name, pair.PrefillWorkerId, pair.DecodeWorkerId, progress.Rounds, time.GetElapsedTime(began).TotalMilliseconds);
        return true;
    }

    [LoggerMessage(30, LogLevel.Information, "{Model} is warm on {PrefillWorkerId} and {DecodeWorkerId}: {Rounds} rounds, {DurationMs:F0} ms")]
    private partial void LogWarm(string model, string prefillWorkerId, string decodeWorkerId, int rounds, double durationMs);

    [LoggerMessage(31, LogLevel.Warning, "Warm-up of {Model} on {PrefillWorkerId} and {DecodeWorkerId} failed and is tried again: {Reason}")]
    private partial void LogFailed(string model, string prefillWorkerId, string decodeWorkerId, string reason);
}
