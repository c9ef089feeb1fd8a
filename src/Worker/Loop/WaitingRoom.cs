namespace Serving.Worker.Loop;

/// <summary>Counts the sequences that were accepted and never yet admitted, in all and by tenant. Any thread may call.</summary>
internal sealed class WaitingRoom
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _byTenant = [];
    private int _count;

    /// <summary>Counts one more, and says how many there were before it.</summary>
    public (int All, int OfTenant) Enter(string tenant)
    {
        lock (_gate)
        {
            var ofTenant = _byTenant.GetValueOrDefault(tenant);
            _byTenant[tenant] = ofTenant + 1;
            return (_count++, ofTenant);
        }
    }

    public void Leave(string tenant)
    {
        lock (_gate)
        {
            _count--;
            if (--_byTenant[tenant] == 0)
            {
                _byTenant.Remove(tenant);
            }
        }
    }
}
