using StackExchange.Redis;

namespace Serving.ServiceDefaults.Cluster;

/// <summary>Every key and channel that the cluster uses in Redis.</summary>
public static class ClusterKeys
{
    /// <summary>Set: ids of the workers that registered, also of some whose lease has expired since.</summary>
    public static readonly RedisKey WorkerIndex = "serving:workers";

    /// <summary>Channel: the id of a worker that came, changed or went.</summary>
    public static readonly RedisChannel WorkerChanged = RedisChannel.Literal("serving:workers:changed");

    /// <summary>Channel: a <c>WorkerLoad</c> as JSON.</summary>
    public static readonly RedisChannel WorkerLoads = RedisChannel.Literal("serving:loads");

    /// <summary>String with a time to live: the id of the control process that leads.</summary>
    /// <remarks>The braces keep both leader keys in one slot of a Redis cluster, because one script uses both.</remarks>
    public static readonly RedisKey Leader = "serving:{leader}";

    /// <summary>Counter: how often the leader has changed; its value at the election is the leader's fencing token.</summary>
    public static readonly RedisKey LeaderTerm = "serving:{leader}:term";

    /// <summary>String with a time to live: the <c>WorkerRegistration</c> as JSON. It exists as long as the worker's lease.</summary>
    public static RedisKey Worker(string workerId) => "serving:worker:" + workerId;

    /// <summary>String with a time to live: the last <c>WorkerLoad</c> as JSON.</summary>
    public static RedisKey Load(string workerId) => "serving:load:" + workerId;
}
