using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Serving.ServiceDefaults.Cluster;

namespace Serving.ServiceDefaults.Hosting;

/// <summary>
/// The life of a process that <c>serving up</c> supervises. Its standard input is a pipe that the supervisor holds: its end is the order to stop,
/// and the kernel gives that order even when the supervisor is killed. A terminal's Ctrl-C and hang-up reach every process of the group and are
/// left to the supervisor, which stops them one after the other.
/// </summary>
internal sealed partial class SupervisedLifetime(
    IHostApplicationLifetime application, IOptions<ClusterOptions> options, ILogger<SupervisedLifetime> logger) : IHostLifetime, IDisposable
{
    private readonly ILogger _logger = logger;
    private readonly List<PosixSignalRegistration> _signals = [];

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        OnSignal(PosixSignal.SIGINT, static () => { });
        OnSignal(PosixSignal.SIGHUP, static () => { });
        OnSignal(PosixSignal.SIGTERM, application.StopApplication);
        new Thread(WatchParent) { IsBackground = true, Name = "parent watch" }.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _signals.ForEach(signal => signal.Dispose());

    private void OnSignal(PosixSignal signal, Action handle) =>
        _signals.Add(PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            handle();
        }));

    private void WatchParent()
    {
        ReadToEnd();
        LogParentGone();
        // StopApplication runs its callbacks on the calling thread; a callback that hangs must not keep the kill below from coming.
        ThreadPool.UnsafeQueueUserWorkItem(static lifetime => lifetime.StopApplication(), application, preferLocal: false);

        // A process that ends in time takes this thread with it.
        Thread.Sleep(TimeSpan.FromSeconds(options.Value.StopSecondsMax));
        Process.GetCurrentProcess().Kill();
    }

    private static void ReadToEnd()
    {
        using var input = Console.OpenStandardInput();
        Span<byte> buffer = stackalloc byte[64];
        try
        {
            while (input.Read(buffer) > 0)
            {
                // Nothing is said on this pipe; only its end counts.
            }
        }
        catch (IOException)
        {
            // A broken pipe has ended too.
        }
    }

    [LoggerMessage(EventId = 1002, Level = LogLevel.Information, Message = "Standard input has ended: stopping.")]
    private partial void LogParentGone();
}
