using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Serving.Contracts.Cluster;
using StackExchange.Redis;

namespace Serving.ServiceDefaults.Cluster;

/// <summary>
/// Follows the registry: notices wake it at once, and a scan each second catches what a lost notice would have told.
/// While Redis is away the last known state stays; after that, workers get one lease of time to register again before they are missed.
/// </summary>
internal sealed partial class ClusterView : BackgroundService, IClusterView
{
    private static readonly TimeSpan ScanInterval = TimeSpan.FromSeconds(1);

    private readonly IConnectionMultiplexer _redis;
    private readonly ClusterOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<ClusterView> _logger;
    private readonly WakeSignal _wake = new();
    private readonly Lock _gate = new();
    private ClusterSnapshot _current = ClusterSnapshot.Empty;
    private long? _returnedAt;
    private bool _redisAway;

    public ClusterView(IConnectionMultiplexer redis, IOptions<ClusterOptions> options, TimeProvider time, ILogger<ClusterView> logger)
    {
        _redis = redis;
        _options = options.Value;
        _time = time;
        _logger = logger;
    }

    public event Action? Changed;

    public ClusterSnapshot Current => Volatile.Read(ref _current);

    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var subscribed = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                subscribed = subscribed || await SubscribeAsync();
                Apply(await ClusterScan.ReadAsync(_redis.GetDatabase()));
                RedisIsBack();
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                RedisIsAway(e);
            }

            await _wake.WaitAsync(ScanInterval, stoppingToken);
        }
    }

    /// <summary>The client library subscribes again by itself whenever it reconnects.</summary>
    private async Task<bool> SubscribeAsync()
    {
        var subscriber = _redis.GetSubscriber();
        await subscriber.SubscribeAsync(ClusterKeys.WorkerChanged, (_, _) => _wake.Set());
        await subscriber.SubscribeAsync(ClusterKeys.WorkerLoads, (_, json) => Apply(json));
        return true;
    }

    private void Apply(IReadOnlyList<WorkerEntry> entries)
    {
        bool changed;
        lock (_gate)
        {
            var previous = _current.Workers;
            var workers = InGrace() ? ClusterMerge.KeepMissing(previous, entries) : entries;
            changed = !ClusterMerge.AreSame(previous, workers);
            if (changed)
            {
                _current = new ClusterSnapshot(workers);
                LogWorkers(previous, workers);
            }
        }

        if (changed)
        {
            Changed?.Invoke();
        }
    }

    private void Apply(RedisValue loadJson)
    {
        if (ClusterScan.Parse(loadJson, ClusterJson.Default.WorkerLoad) is not { } load)
        {
            return;
        }

        bool changed;
        lock (_gate)
        {
            var workers = ClusterMerge.WithLoad(_current.Workers, load);
            changed = !ReferenceEquals(workers, _current.Workers);
            _current = changed ? new ClusterSnapshot(workers) : _current;
        }

        if (changed)
        {
            Changed?.Invoke();
        }
    }

    private bool InGrace()
    {
        if (_redisAway)
        {
            // This is the first scan after an outage, in which no lease could be renewed.
            _returnedAt = _time.GetTimestamp();
        }

        return _returnedAt is { } since && _time.GetElapsedTime(since) < _options.Lease;
    }

    private void RedisIsAway(Exception e)
    {
        if (!_redisAway)
        {
            _redisAway = true;
            LogRedisAway(e.Message);
        }
    }

    private void RedisIsBack()
    {
        if (_redisAway)
        {
            _redisAway = false;
            LogRedisBack();
        }
    }

    private void LogWorkers(IReadOnlyList<WorkerEntry> previous, IReadOnlyList<WorkerEntry> now)
    {
        foreach (var entry in now.Where(entry => previous.All(other => other.Registration.Id != entry.Registration.Id)))
        {
            LogWorkerCame(entry.Registration.Id, entry.Registration.Address);
        }

        foreach (var entry in previous.Where(entry => now.All(other => other.Registration.Id != entry.Registration.Id)))
        {
            LogWorkerWent(entry.Registration.Id, entry.Registration.Address);
        }
    }
}
