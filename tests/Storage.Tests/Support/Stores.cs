using System.Net;
using System.Net.Sockets;
using Serving.Serving.Tests.Registry;
using Serving.Storage.Documents;
using Serving.Storage.Leases;
using StackExchange.Redis;

namespace Serving.Storage.Tests.Support;

/// <summary>The stores over a server of one kind, or the fakes, which keep the same contract.</summary>
internal sealed class Stores : IAsyncDisposable
{
    public const string Memory = "memory";
    public const string Garnet = "garnet";
    public const string Debian = "redis-server";

    private readonly RedisServer? _server;
    private readonly ConnectionMultiplexer? _connection;

    private Stores(RedisServer server, ConnectionMultiplexer connection, TimeProvider time)
    {
        _server = server;
        _connection = connection;
        Documents = new RedisDocumentStore(connection, time);
        Leases = new RedisLeaseStore(connection);
    }

    private Stores(TimeProvider time)
    {
        Documents = new MemoryDocumentStore(time);
        Leases = new MemoryLeaseStore(time);
    }

    public IDocumentStore Documents { get; }

    public ILeaseStore Leases { get; }

    /// <summary>Null for the fakes.</summary>
    public RedisServer? Server => _server;

    public static async Task<Stores> StartAsync(string kind, TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        if (kind == Memory)
        {
            return new Stores(time);
        }

        var server = RedisServer.Start(kind);
        await ListensAsync(server);
        return new Stores(server, await ConnectAsync(server.ConnectionString), time);
    }

    /// <summary>Waits for a process that has just started, which the client would try again only after three seconds.</summary>
    private static async Task ListensAsync(RedisServer server)
    {
        var endPoint = ConfigurationOptions.Parse(server.ConnectionString).EndPoints[0];
        for (var limit = DateTime.UtcNow.AddSeconds(20); ;)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync((IPEndPoint)endPoint, TestContext.Current.CancellationToken);
                return;
            }
            catch (SocketException) when (DateTime.UtcNow < limit)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>Waits until calls succeed again.</summary>
    public async Task AnswersAsync()
    {
        for (var limit = DateTime.UtcNow.AddSeconds(20); ;)
        {
            try
            {
                await Documents.UsageAsync("");
                return;
            }
            catch (StorageUnavailableException) when (DateTime.UtcNow < limit)
            {
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>Connected as a host connects: a server that is away makes calls fail at once.</summary>
    private static Task<ConnectionMultiplexer> ConnectAsync(string connection)
    {
        var options = ConfigurationOptions.Parse(connection);
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.AbortOnConnectFail = false;
        return ConnectionMultiplexer.ConnectAsync(options);
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        _server?.Dispose();
    }
}
