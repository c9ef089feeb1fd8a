using Microsoft.Extensions.Options;
using Serving.ServiceDefaults.Cluster;
using StackExchange.Redis;

namespace Serving.Control.Leadership;

/// <summary>Runs for leader, and does the leader's work while it leads.</summary>
internal sealed partial class Leadership : BackgroundService, ILeadership
{
    private readonly IConnectionMultiplexer _redis;
    private readonly LeaderLease _lease;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly ILogger<Leadership> _logger;
    private LeaderTerm? _term;
    private bool _redisAway;

    public Leadership(IConnectionMultiplexer redis, IOptions<ClusterOptions> options, TimeProvider time, ILogger<Leadership> logger)
    {
        var duration = TimeSpan.FromSeconds(options.Value.LeaseSeconds);
        _redis = redis;
        _lease = new LeaderLease(redis, Id, duration);
        _interval = duration / 3 < TimeSpan.FromSeconds(1) ? duration / 3 : TimeSpan.FromSeconds(1);
        _time = time;
        _logger = logger;
    }

    public string Id { get; } = $"control-{Guid.NewGuid().ToString("N")[..6]}";

    public LeaderTerm? Term => Volatile.Read(ref _term);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await _lease.ReleaseAsync();
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            LogRedisAway(e.Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_interval, _time);
        try
        {
            do
            {
                await TickAsync();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    private async Task TickAsync()
    {
        try
        {
            Note(await _lease.AcquireAsync());
            if (Term is not null)
            {
                foreach (var workerId in await RegistrySweep.RunAsync(_redis.GetDatabase()))
                {
                    LogSwept(workerId);
                }
            }

            _redisAway = false;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            // Whoever cannot renew does not lead: another process may by now.
            Note(term: null);
            if (!_redisAway)
            {
                _redisAway = true;
                LogRedisAway(e.Message);
            }
        }
    }

    private void Note(long? term)
    {
        if (term == Term?.Number)
        {
            return;
        }

        Volatile.Write(ref _term, term is { } number ? new LeaderTerm(Id, number) : null);
        if (term is { } begun)
        {
            LogLeads(Id, begun);
        }
        else
        {
            LogLeadsNoMore(Id);
        }
    }

    [LoggerMessage(EventId = 2001, Level = LogLevel.Information, Message = "{Id} leads in term {Term}.")]
    private partial void LogLeads(string id, long term);

    [LoggerMessage(EventId = 2002, Level = LogLevel.Information, Message = "{Id} leads no more.")]
    private partial void LogLeadsNoMore(string id);

    [LoggerMessage(EventId = 2003, Level = LogLevel.Information, Message = "The lease of worker {WorkerId} has expired; it is out of the registry.")]
    private partial void LogSwept(string workerId);

    [LoggerMessage(EventId = 2004, Level = LogLevel.Warning, Message = "The shared state cannot be reached, nobody leads from here: {Reason}")]
    private partial void LogRedisAway(string reason);
}
