using System.Runtime.InteropServices;

namespace Serving.Cli.Output;

/// <summary>Ctrl-C, SIGTERM and a closed terminal: the first asks for an ordered stop, the second for one at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _kill = new();
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals()
    {
        _registrations = [On(PosixSignal.SIGINT), On(PosixSignal.SIGTERM), On(PosixSignal.SIGHUP)];
    }

    /// <summary>May take Ctrl-C for something smaller, by returning true. Default: it always stops.</summary>
    public Func<bool>? TakeInterrupt { get; set; }

    public CancellationToken Stop => _stop.Token;

    public CancellationToken Kill => _kill.Token;

    public void Dispose()
    {
        Array.ForEach(_registrations, registration => registration.Dispose());
        _stop.Dispose();
        _kill.Dispose();
    }

    private PosixSignalRegistration On(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        if (signal == PosixSignal.SIGINT && TakeInterrupt?.Invoke() == true)
        {
            return;
        }

        (_stop.IsCancellationRequested ? _kill : _stop).Cancel();
    });
}
