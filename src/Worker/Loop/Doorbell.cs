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

    public void Wait()
    {
        lock (_gate)
        {
            while (!_rung)
            {
                Monitor.Wait(_gate);
            }

            _rung = false;
        }
    }
}
