using System.Diagnostics;
using Serving.Cli.Machine;
using Serving.Cli.State;

namespace Serving.Serving.Tests.Registry;

/// <summary>A Redis that a test can stop and start again on the same port: Garnet in this process, or Debian's redis-server.</summary>
internal abstract class RedisServer : IDisposable
{
    public abstract string ConnectionString { get; }

    public static RedisServer Start(string kind) => kind == "garnet" ? new GarnetRedis() : new DebianRedis();

    public abstract void Dispose();

    private sealed class GarnetRedis : RedisServer
    {
        private readonly TemporaryFolder _folder = new();
        private readonly EmbeddedRedis _redis;

        public GarnetRedis() => _redis = EmbeddedRedis.Start(_folder.File("redis"), "p", _folder.File("redis.log"));

        public override string ConnectionString => $"{_redis.EndPoint},password=p";

        public override void Dispose()
        {
            _redis.Dispose();
            _folder.Dispose();
        }
    }
}

/// <summary>Debian's redis-server; the test is skipped where it is not installed.</summary>
internal sealed class DebianRedis : RedisServer
{
    private readonly int _port = FreePort.Find();
    private Process _process;

    public DebianRedis()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/redis-server"), "redis-server is not installed: apt-get install redis-server");
        _process = Launch();
    }

    public override string ConnectionString => $"127.0.0.1:{_port}";

    public void Stop()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    public void Restart() => _process = Launch();

    public override void Dispose() => Stop();

    private Process Launch() => Process.Start(new ProcessStartInfo(
        "/usr/bin/redis-server", ["--port", $"{_port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", Path.GetTempPath()])
    {
        RedirectStandardOutput = true,
    })!;
}
