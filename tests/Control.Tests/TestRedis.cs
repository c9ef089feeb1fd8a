using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Garnet;
using Garnet.server;
using StackExchange.Redis;

namespace Serving.Control.Tests;

/// <summary>A Redis for one test: Garnet in this process, in memory, or Debian's redis-server, where the test is skipped if it is not installed.</summary>
internal sealed class TestRedis : IAsyncDisposable
{
    public const string Garnet = "garnet";
    public const string Debian = "redis-server";

    private const string DebianProgram = "/usr/bin/redis-server";

    private readonly IDisposable _server;

    private TestRedis(IDisposable server, IConnectionMultiplexer connection)
    {
        _server = server;
        Connection = connection;
    }

    public IConnectionMultiplexer Connection { get; }

    public IDatabase Database => Connection.GetDatabase();

    public string EndPoint => Connection.Configuration.Split(',')[0];

    public static async Task<TestRedis> StartAsync(string kind)
    {
        Assert.SkipUnless(kind == Garnet || File.Exists(DebianProgram), "redis-server is not installed: apt-get install redis-server");
        var port = FreePort();
        IDisposable server = kind == Garnet ? StartGarnet(port) : StartDebian(port);
        return new TestRedis(server, await ConnectAsync($"127.0.0.1:{port},connectTimeout=1000"));
    }

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync();
        if (_server is Process process)
        {
            process.Kill();
        }

        _server.Dispose();
    }

    private static async Task<ConnectionMultiplexer> ConnectAsync(string connectionString)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await ConnectionMultiplexer.ConnectAsync(connectionString);
            }
            catch (RedisConnectionException) when (attempt < 100)
            {
                // The server does not listen yet.
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
        }
    }

    private static GarnetServer StartGarnet(int port)
    {
        var server = new GarnetServer(new GarnetServerOptions
        {
            EndPoints = [new IPEndPoint(IPAddress.Loopback, port)],
            QuietMode = true,
            EnableLua = true,
            LogMemorySize = "16m",
            PageSize = "1m",
            IndexMemorySize = "1m",
            LuaOptions = new LuaOptions(LuaMemoryManagementMode.Native, "", TimeSpan.FromSeconds(1), LuaLoggingMode.Silent, []),
        });
        server.Start();
        return server;
    }

    private static Process StartDebian(int port) =>
        Process.Start(new ProcessStartInfo(DebianProgram, ["--port", $"{port}", "--bind", "127.0.0.1", "--save", ""]) { RedirectStandardOutput = true })!;

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
