using Serving.ServiceDefaults.Hosting;
using Serving.ServiceDefaults.Security;
using StackExchange.Redis;

namespace Serving.ServiceDefaults.Cluster;

/// <summary>The one connection of a host to the shared state. It exists even while Redis is away, and reconnects by itself.</summary>
internal static class RedisConnection
{
    public static IConnectionMultiplexer Open(ClusterOptions options, ClusterSecret secret, string clientName) =>
        ConnectionMultiplexer.Connect(Configure(options, secret, clientName));

    internal static ConfigurationOptions Configure(ClusterOptions options, ClusterSecret secret, string clientName)
    {
        var configuration = Parse(options.Redis);
        configuration.AbortOnConnectFail = false;
        configuration.ClientName ??= clientName;
        configuration.ConnectTimeout = 2_000;
        configuration.AsyncTimeout = 2_000;
        configuration.SyncTimeout = 2_000;
        configuration.ReconnectRetryPolicy = new ExponentialRetry(deltaBackOffMilliseconds: 250, maxDeltaBackOffMilliseconds: 2_000);
        // Old registrations and loads are worth nothing: while Redis is away a call fails at once and the next second's is newer.
        configuration.BacklogPolicy = BacklogPolicy.FailFast;
        if (options.RedisPasswordFromSecret)
        {
            configuration.Password = secret.RedisPassword;
        }

        return configuration;
    }

    private static ConfigurationOptions Parse(string text)
    {
        try
        {
            return ConfigurationOptions.Parse(text);
        }
        catch (ArgumentException e)
        {
            throw new StartupException($"Cluster:Redis is not a connection string such as 127.0.0.1:6379,password=…: {e.Message}", e);
        }
    }
}
