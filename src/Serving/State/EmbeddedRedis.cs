using System.Net;
using System.Net.Sockets;
using Garnet;
using Garnet.server;
using Garnet.server.Auth.Settings;
using Microsoft.Extensions.Logging;
using Serving.Cli.Machine;
using Serving.ServiceDefaults.Hosting;
using Tsavorite.core;

namespace Serving.Cli.State;

/// <summary>
/// Microsoft.Garnet in this process: a RESP server on a loopback port of its own, behind a password, with an append-only file and checkpoints in
/// the data folder. Sized for a registry and its like, not for a cache.
/// </summary>
internal sealed class EmbeddedRedis : IDisposable
{
    private const int PortAttempts = 5;

    private readonly GarnetServer _server;
    private readonly ILoggerFactory _loggers;

    private EmbeddedRedis(GarnetServer server, ILoggerFactory loggers, IPEndPoint endPoint)
    {
        _server = server;
        _loggers = loggers;
        EndPoint = endPoint;
    }

    public IPEndPoint EndPoint { get; }

    /// <exception cref="StartupException">It cannot start on this folder.</exception>
    public static EmbeddedRedis Start(string folder, string password, string logFile)
    {
        var loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Warning).AddProvider(new FileLoggerProvider(logFile)));
        for (var attempt = 1; ; attempt++)
        {
            var endPoint = new IPEndPoint(IPAddress.Loopback, FreePort.Find());
            GarnetServer? server = null;
            try
            {
                server = new GarnetServer(Configure(folder, password, endPoint), loggers);
                server.Start();
                return new EmbeddedRedis(server, loggers, endPoint);
            }
            catch (SocketException) when (attempt < PortAttempts)
            {
                // Somebody took the port between our look and our listening.
                server?.Dispose();
            }
            catch (Exception e)
            {
                server?.Dispose();
                loggers.Dispose();
                throw new StartupException($"The embedded Redis cannot start on {folder}: {e.Message} See {logFile}.", e);
            }
        }
    }

    public void Dispose()
    {
        _server.Dispose();
        _loggers.Dispose();
    }

    private static GarnetServerOptions Configure(string folder, string password, IPEndPoint endPoint) => new()
    {
        EndPoints = [endPoint],
        AuthSettings = new PasswordAuthenticationSettings(password),
        QuietMode = true,
        // The native device, the default, needs libaio, which a plain Debian or Ubuntu lacks.
        DeviceType = DeviceType.RandomAccess,
        LogDir = Path.Combine(folder, "log"),
        CheckpointDir = Path.Combine(folder, "checkpoint"),
        Recover = true,
        EnableAOF = true,
        // Leases are renewed every second or so: the file is cut by a checkpoint whenever it has grown to its limit.
        AofSizeLimit = "64m",
        AofMemorySize = "16m",
        AofPageSize = "4m",
        AofSegmentSize = "16m",
        // Commits go to the disk ten times a second and not before each answer: what is here can be registered anew.
        CommitFrequencyMs = 100,
        // Without this tier a full log would forget its oldest records.
        EnableStorageTier = true,
        LogMemorySize = "64m",
        PageSize = "1m",
        SegmentSize = "64m",
        ObjectLogSegmentSize = "64m",
        IndexMemorySize = "1m",
        BufferPoolMemoryBudget = "64m",
        ExpiredKeyDeletionScanFrequencySecs = 60,
        MaxDatabases = 1,
        EnableLua = true,
        LuaOptions = new LuaOptions(LuaMemoryManagementMode.Native, "", TimeSpan.FromSeconds(1), LuaLoggingMode.Silent, []),
    };
}
