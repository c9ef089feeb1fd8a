namespace Serving.Engine.Scheduling;

/// <summary>
/// Fairness between tenants: the Virtual Token Counter of Sheng et al., "Fairness in Serving Large Language Models" (OSDI 2024). Each tenant has a
/// counter of the tokens it was served; whoever waits with the lowest is admitted first. A tenant that had nothing waiting is lifted to the lowest
/// counter among those that have, so that idling saves up no credit. Two tenants that always wait so get equal shares, whatever each sends.
/// </summary>
internal sealed class TenantLedger
{
    /// <summary>Accounts that are kept. Above it the one with the least served is forgotten: the lift gives it back most of what it was.</summary>
    private const int AccountsMax = 1024;

    private readonly Dictionary<string, TenantAccount> _accounts = [];
    private TenantAccount? _lastToLeave;

    /// <summary>A sequence has come.</summary>
    public void Enter(Sequence sequence)
    {
        var account = AccountOf(sequence.Tenant);
        if (account.WaitingCount == 0)
        {
            account.ServedTokens = Math.Max(account.ServedTokens, Floor());
        }

        sequence.Account = account;
        account.SequenceCount++;
        account.WaitingCount++;
    }

    /// <summary>A sequence waits no more: it was admitted, or ended.</summary>
    public void LeaveQueue(Sequence sequence)
    {
        if (--sequence.Account!.WaitingCount == 0)
        {
            _lastToLeave = sequence.Account;
        }
    }

    /// <summary>A sequence has ended.</summary>
    public void Leave(Sequence sequence)
    {
        sequence.Account!.SequenceCount--;
        if (_accounts.Count > AccountsMax)
        {
            ForgetLeastServed();
        }
    }

    /// <summary>The least that a tenant who comes now has had.</summary>
    private long Floor()
    {
        var floor = long.MaxValue;
        foreach (var account in _accounts.Values)
        {
            floor = account.WaitingCount > 0 ? Math.Min(floor, account.ServedTokens) : floor;
        }

        return floor < long.MaxValue ? floor : _lastToLeave?.ServedTokens ?? 0;
    }

    private TenantAccount AccountOf(string tenant)
    {
        if (!_accounts.TryGetValue(tenant, out var account))
        {
            account = new TenantAccount(tenant);
            _accounts.Add(tenant, account);
        }

        return account;
    }

    private void ForgetLeastServed()
    {
        TenantAccount? least = null;
        foreach (var account in _accounts.Values)
        {
            if (account.SequenceCount == 0 && (least is null || account.ServedTokens < least.ServedTokens))
            {
                least = account;
            }
        }

        if (least is not null)
        {
            _accounts.Remove(least.Tenant);
        }
    }
}
