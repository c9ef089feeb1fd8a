using Serving.ServiceDefaults.Cluster;
using Serving.ServiceDefaults.Hosting;
using StackExchange.Redis;

namespace Serving.Cli.State;

/// <summary>What <c>up</c> itself asks of Redis before it starts the hosts.</summary>
internal static class RedisProbe
{
    /// <summary>Makes sure that Redis answers.</summary>
    /// <exception cref="StartupException">It does not.</exception>
    public static async Task CheckAsync(string connectionString) => await (await ConnectAsync(connectionString, password: null)).DisposeAsync();

    /// <summary>Forgets the workers of an earlier platform on the same data, which were killed together with it: nothing is left to end their leases early.</summary>
    public static async Task ForgetWorkersAsync(EmbeddedRedis redis, string password)
    {
        await using var connection = await ConnectAsync(redis.EndPoint.ToString(), password);
        var database = connection.GetDatabase();
        foreach (var id in await database.SetMembersAsync(ClusterKeys.WorkerIndex))
        {
            await database.KeyDeleteAsync([ClusterKeys.Worker((string)id!), ClusterKeys.Load((string)id!)]);
        }

        await database.KeyDeleteAsync([ClusterKeys.WorkerIndex, ClusterKeys.Leader]);
    }

    private static async Task<ConnectionMultiplexer> ConnectAsync(string connectionString, string? password)
    {
        try
        {
            var options = ConfigurationOptions.Parse(connectionString);
            options.AbortOnConnectFail = true;
            options.ConnectTimeout = 3_000;
            options.ConnectRetry = 0;
            options.Password = password ?? options.Password;
            return await ConnectionMultiplexer.ConnectAsync(options);
        }
        catch (Exception e) when (e is RedisException or ArgumentException)
        {
            // The connection string may hold a password; only its host part is shown.
            throw new StartupException($"Redis at '{connectionString.Split(',')[0]}' cannot be used: {Describe(e)}", e);
        }
    }

    /// <summary>The client library's own words are for programmers: they advise to set properties of it.</summary>
    private static string Describe(Exception e) => e switch
    {
        RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure } =>
            "it asks for a password and was given none, or a wrong one. Name it as HOST:PORT,password=…",
        RedisConnectionException => "nothing answers there as Redis does. Is it running, and is this its address, as HOST:PORT? Is ssl=true right or missing?",
        ArgumentException => $"that is no connection such as HOST:PORT,password=…: {e.Message}",
        _ => e.Message,
    };
}
