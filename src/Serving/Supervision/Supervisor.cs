using System.ComponentModel;

namespace Serving.Cli.Supervision;

/// <summary>
/// Keeps one process running: what ends is started again after a back-off. Until the platform has been ready once, three short lives in a row
/// are taken for a mistake that no restart mends, and it gives up.
/// </summary>
internal sealed class Supervisor : IDisposable
{
    private const int ShortLivesMax = 3;

    private readonly ChildSpec _spec;
    private readonly IChildLauncher _launcher;
    private readonly ISupervisionObserver _observer;
    private readonly TimeProvider _time;
    private readonly BackoffPolicy _backoff = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<int> _gaveUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();
    private IChild? _child;
    private Task _run = Task.CompletedTask;
    private bool _isEstablished;

    public Supervisor(ChildSpec spec, IChildLauncher launcher, ISupervisionObserver observer, TimeProvider time)
    {
        _spec = spec;
        _launcher = launcher;
        _observer = observer;
        _time = time;
    }

    public string Name => _spec.Name;

    /// <summary>Ends with the last exit code when the process is not started again.</summary>
    public Task<int> GaveUp => _gaveUp.Task;

    public void Start() => _run = RunAsync();

    /// <summary>The platform has been ready: from now on the process is started again however often it ends.</summary>
    public void Establish() => Volatile.Write(ref _isEstablished, true);

    /// <summary>What ends from now on stays ended. A stop goes host by host, and a signal to the whole process group ends them all at once.</summary>
    public void StopRestarting() => EndSupervision();

    /// <summary>Orders the process to stop, and kills it if it has not ended in time.</summary>
    public async Task StopAsync()
    {
        var child = EndSupervision();
        child?.OrderStop();
        try
        {
            await _run.WaitAsync(_spec.StopTimeMax, _time);
        }
        catch (TimeoutException)
        {
            child?.Kill();
            await _run;
        }
    }

    public void Kill() => EndSupervision()?.Kill();

    public void Dispose() => _stop.Dispose();

    private async Task RunAsync()
    {
        while (true)
        {
            using var child = Launch();
            if (child is null)
            {
                return;
            }

            var startedAt = _time.GetTimestamp();
            var exitCode = await child.Ended;
            if (!Forget())
            {
                return;
            }

            var delay = _backoff.Next(_time.GetElapsedTime(startedAt));
            if (!Volatile.Read(ref _isEstablished) && _backoff.ShortLives >= ShortLivesMax)
            {
                _observer.Ended(Name, exitCode, restartDelay: null);
                _gaveUp.TrySetResult(exitCode);
                return;
            }

            _observer.Ended(Name, exitCode, delay);
            await Task.Delay(delay, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Null once supervision has ended. Under the lock, so that no process is started behind the back of a stop.</summary>
    private IChild? Launch()
    {
        lock (_gate)
        {
            if (_stop.IsCancellationRequested)
            {
                return null;
            }

            try
            {
                _child = _launcher.Launch(_spec, line => _observer.Line(Name, line));
            }
            catch (Win32Exception e)
            {
                _observer.Line(Name, $"{_spec.FileName} cannot be started: {e.Message}");
                _gaveUp.TrySetResult(e.NativeErrorCode);
                return null;
            }

            _observer.Started(Name, _child.Pid);
            return _child;
        }
    }

    /// <summary>False once supervision has ended.</summary>
    private bool Forget()
    {
        lock (_gate)
        {
            _child = null;
            return !_stop.IsCancellationRequested;
        }
    }

    private IChild? EndSupervision()
    {
        lock (_gate)
        {
            _stop.Cancel();
            return _child;
        }
    }
}
