using System.Globalization;
using Serving.ServiceDefaults.Cluster;
using StackExchange.Redis;

namespace Serving.Control.Leadership;

/// <summary>
/// At most one control process leads: the one whose id the leader key holds, until the key's time to live ends. Each election counts the term up;
/// the term is the fencing token, by which whatever the leader commands can refuse an older leader that does not know yet that it was replaced.
/// </summary>
internal sealed class LeaderLease(IConnectionMultiplexer redis, string holder, TimeSpan duration)
{
    // One script, because a pause between taking the key and counting the term could give a later leader the smaller term.
    private const string AcquireScript =
        """
        local holder = redis.call('GET', KEYS[1])
        if holder == ARGV[1] then
          redis.call('PEXPIRE', KEYS[1], ARGV[2])
          return tonumber(redis.call('GET', KEYS[2]))
        end
        if holder then
          return 0
        end
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
        return redis.call('INCR', KEYS[2])
        """;

    private const string ReleaseScript =
        """
        if redis.call('GET', KEYS[1]) == ARGV[1] then
          return redis.call('DEL', KEYS[1])
        end
        return 0
        """;

    /// <summary>Takes the lease if nobody has it, and renews it if this process has it.</summary>
    /// <returns>The term that this process leads in; null while another one leads.</returns>
    /// <exception cref="RedisException">Redis cannot be reached.</exception>
    public async Task<long?> AcquireAsync()
    {
        var milliseconds = ((long)duration.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        var result = await redis.GetDatabase().ScriptEvaluateAsync(
            AcquireScript, [ClusterKeys.Leader, ClusterKeys.LeaderTerm], [holder, milliseconds]);
        var term = (long)result;
        return term > 0 ? term : null;
    }

    /// <summary>Gives the lease back, if this process has it.</summary>
    public Task ReleaseAsync() => redis.GetDatabase().ScriptEvaluateAsync(ReleaseScript, [ClusterKeys.Leader], [holder]);
}
