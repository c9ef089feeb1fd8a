using System.Collections.Concurrent;
using Serving.Cli.Output;
using Serving.Cli.Supervision;

namespace Serving.Cli.Up;

/// <summary>Keeps each process's output in its log file, and shows people what they should know of it.</summary>
internal sealed class PlatformObserver(string logFolder, Reporter reporter, TimeProvider time) : ISupervisionObserver, IDisposable
{
    private static readonly TimeSpan EchoWindow = TimeSpan.FromSeconds(10);
    private const int EchoesMax = 5;

    private readonly ConcurrentDictionary<string, LogFile> _logs = new();
    private readonly Dictionary<string, (long Since, int Count)> _echoes = [];
    private readonly Lock _gate = new();

    public LogFile Log(string name) => _logs.GetOrAdd(name, static (name, folder) => new LogFile(Path.Combine(folder, name + ".log")), logFolder);

    public void Started(string name, int pid)
    {
        Log(name).WriteLine($"{LogFile.RemarkPrefix}{name} started with pid {pid}, {time.GetUtcNow():u}");
        reporter.Detail($"{name} started (pid {pid})");
    }

    public void Ended(string name, int exitCode, TimeSpan? restartDelay)
    {
        Log(name).WriteLine($"{LogFile.RemarkPrefix}{name} ended with exit code {exitCode}");
        if (restartDelay is { } delay)
        {
            reporter.Warning($"{name} ended with exit code {exitCode}; it is started again in {delay.TotalSeconds:0.##} s. Its log: {Log(name).Path}");
        }
    }

    public void Line(string name, string line)
    {
        Log(name).WriteLine(line);
        var (severity, message) = LogLine.Parse(line);
        if (severity == LineSeverity.Information)
        {
            reporter.Detail($"{name}: {message}");
        }
        else if (MayEcho(name))
        {
            reporter.Warning($"{name}: {message}");
        }
    }

    public void Dispose()
    {
        foreach (var log in _logs.Values)
        {
            log.Dispose();
        }
    }

    /// <summary>A process that complains without end must not bury the console; its log has everything.</summary>
    private bool MayEcho(string name)
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            var (since, count) = _echoes.GetValueOrDefault(name, (now, 0));
            if (time.GetElapsedTime(since, now) >= EchoWindow)
            {
                (since, count) = (now, 0);
            }

            _echoes[name] = (since, count + 1);
            return count < EchoesMax;
        }
    }
}
