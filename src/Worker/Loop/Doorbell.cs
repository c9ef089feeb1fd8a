namespace Serving.Worker.Loop;

/// <summary>Where the idle engine parks. A ring that comes before the wait is not lost; many rings wake once.</summary>
internal sealed class Doorbell
{
    private readonly object _gate = new();
    private bool _rung;

    public void Ring()
    {
        lock (_gate)
        {
            _rung = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <param name="patience">How long at most; infinite until it rings.</param>
    public void Wait(TimeSpan patience)
    {
        lock (_gate)
        {
            if (!_rung)
            {
                // Nothing but a ring pulses, and whoever wakes for no reason looks around and comes back.
                Monitor.Wait(_gate, patience);
            }

            _rung = false;
        }
    }
}
