using System.ComponentModel;
using System.Threading.Channels;
using Serving.Cli.Supervision;

namespace Serving.Serving.Tests.Supervision;

/// <summary>Starts children that end when the test says so.</summary>
internal sealed class FakeLauncher : IChildLauncher
{
    private readonly Channel<FakeChild> _launched = Channel.CreateUnbounded<FakeChild>();

    public bool IsBroken { get; init; }

    public int Count { get; private set; }

    public ValueTask<FakeChild> NextAsync() => _launched.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public IChild Launch(ChildSpec spec, Action<string> onLine)
    {
        if (IsBroken)
        {
            throw new Win32Exception(2);
        }

        Count++;
        var child = new FakeChild(Count);
        _launched.Writer.TryWrite(child);
        return child;
    }
}

internal sealed class FakeChild(int pid) : IChild
{
    private readonly TaskCompletionSource<int> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Pid => pid;

    public Task<int> Ended => _ended.Task;

    public bool IgnoresOrders { get; set; }

    public bool WasKilled { get; private set; }

    public TaskCompletionSource Ordered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void End(int exitCode) => _ended.TrySetResult(exitCode);

    public void OrderStop()
    {
        Ordered.TrySetResult();
        if (!IgnoresOrders)
        {
            End(0);
        }
    }

    public void Kill()
    {
        WasKilled = true;
        End(137);
    }

    public void Dispose()
    {
    }
}

internal sealed class FakeObserver : ISupervisionObserver
{
    private readonly Channel<(int ExitCode, TimeSpan? Delay)> _endings = Channel.CreateUnbounded<(int, TimeSpan?)>();

    public ValueTask<(int ExitCode, TimeSpan? Delay)> NextEndingAsync() => _endings.Reader.ReadAsync(TestContext.Current.CancellationToken);

    public void Started(string name, int pid)
    {
    }

    public void Ended(string name, int exitCode, TimeSpan? restartDelay) => _endings.Writer.TryWrite((exitCode, restartDelay));

    public void Line(string name, string line)
    {
    }
}
