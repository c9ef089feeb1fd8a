using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Serving.Contracts.Cluster;
using StackExchange.Redis;

namespace Serving.ServiceDefaults.Cluster;

internal sealed partial class WorkerRegistrar : BackgroundService, IWorkerRegistrar
{
    private readonly IConnectionMultiplexer _redis;
    private readonly ClusterOptions _options;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _time;
    private readonly ILogger<WorkerRegistrar> _logger;
    private readonly WakeSignal _wake = new();
    private readonly Lock _gate = new();
    private WorkerRegistration? _registration;
    private WorkerRegistration? _written;
    private WorkerLoad? _load;
    private long _renewedAt;
    private bool _draining;
    private bool _redisAway;

    public WorkerRegistrar(
        IConnectionMultiplexer redis,
        IOptions<ClusterOptions> options,
        IHostApplicationLifetime lifetime,
        TimeProvider time,
        ILogger<WorkerRegistrar> logger)
    {
        _redis = redis;
        _options = options.Value;
        _lifetime = lifetime;
        _time = time;
        _logger = logger;
    }

    public void Publish(WorkerRegistration registration)
    {
        lock (_gate)
        {
            _registration = _draining ? registration with { Draining = true } : registration;
        }

        _wake.Set();
    }

    public void Report(WorkerLoad load)
    {
        lock (_gate)
        {
            _load = load;
        }

        _wake.Set();
    }

    public void Drain()
    {
        lock (_gate)
        {
            _draining = true;
            _registration = _registration is null ? null : _registration with { Draining = true };
        }

        _wake.Set();
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_written is { } registration)
        {
            await RemoveAsync(registration.Id);
        }
    }

    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var draining = _lifetime.ApplicationStopping.Register(Drain);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await WriteAsync();
                RedisIsBack();
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                RedisIsAway(e);
            }

            await _wake.WaitAsync(_options.RenewalInterval, stoppingToken);
        }
    }

    private async Task WriteAsync()
    {
        var (registration, load) = Read();
        if (registration is null)
        {
            return;
        }

        var database = _redis.GetDatabase();
        if (!ReferenceEquals(registration, _written))
        {
            await RegisterAsync(database, registration);
        }
        else if (_time.GetElapsedTime(_renewedAt) >= _options.RenewalInterval * 0.9)
        {
            await RenewAsync(database, registration);
        }

        if (load is not null)
        {
            var json = JsonSerializer.Serialize(load, ClusterJson.Default.WorkerLoad);
            await Task.WhenAll(
                database.StringSetAsync(ClusterKeys.Load(registration.Id), json, _options.Lease),
                database.PublishAsync(ClusterKeys.WorkerLoads, json));
        }
    }

    private (WorkerRegistration? Registration, WorkerLoad? Load) Read()
    {
        lock (_gate)
        {
            return (_registration, _load);
        }
    }

    private async Task RegisterAsync(IDatabase database, WorkerRegistration registration)
    {
        var json = JsonSerializer.Serialize(registration, ClusterJson.Default.WorkerRegistration);
        await database.StringSetAsync(ClusterKeys.Worker(registration.Id), json, _options.Lease);
        await database.SetAddAsync(ClusterKeys.WorkerIndex, registration.Id);
        await database.PublishAsync(ClusterKeys.WorkerChanged, registration.Id);
        _written = registration;
        _renewedAt = _time.GetTimestamp();
        LogRegistered(registration.Id, registration.Address, registration.Draining);
    }

    private async Task RenewAsync(IDatabase database, WorkerRegistration registration)
    {
        // The index entry is renewed too: a sweep that saw the lease expired may remove it just after a new registration.
        var renewal = database.KeyExpireAsync(ClusterKeys.Worker(registration.Id), _options.Lease);
        await Task.WhenAll(renewal, database.SetAddAsync(ClusterKeys.WorkerIndex, registration.Id));
        _renewedAt = _time.GetTimestamp();
        if (!await renewal)
        {
            LogLeaseLost(registration.Id);
            await RegisterAsync(database, registration);
        }
    }

    private async Task RemoveAsync(string workerId)
    {
        try
        {
            var database = _redis.GetDatabase();
            await database.KeyDeleteAsync([ClusterKeys.Worker(workerId), ClusterKeys.Load(workerId)]);
            await database.SetRemoveAsync(ClusterKeys.WorkerIndex, workerId);
            await database.PublishAsync(ClusterKeys.WorkerChanged, workerId);
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            // The lease ends by itself.
            LogRedisAway(e.Message);
        }
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
}
