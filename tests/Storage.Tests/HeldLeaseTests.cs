using Microsoft.Extensions.Time.Testing;
using Serving.Storage.Leases;
using Serving.Storage.Tests.Support;

namespace Serving.Storage.Tests;

public sealed class HeldLeaseTests
{
    private static readonly TimeSpan _duration = TimeSpan.FromSeconds(9);
    private readonly FakeTimeProvider _time = new();
    private readonly MemoryLeaseStore _leases;

    public HeldLeaseTests() => _leases = new MemoryLeaseStore(_time);

    [Fact]
    public async Task Is_renewed_while_it_lives_and_free_at_once_afterwards()
    {
        var held = (await HeldLease.TakeAsync(_leases, "l", "a", _duration, _time))!;
        for (var i = 0; i < 20; i++)
        {
            await AdvanceAsync(TimeSpan.FromSeconds(3));
            Assert.Null(await HeldLease.TakeAsync(_leases, "l", "b", _duration, _time));
        }

        Assert.False(held.Lost.IsCancellationRequested);
        await held.DisposeAsync();
        await using var next = await HeldLease.TakeAsync(_leases, "l", "b", _duration, _time);
        Assert.Equal(held.Term + 1, next!.Term);
    }

    [Fact]
    public async Task Is_lost_when_another_one_has_it()
    {
        await using var held = (await HeldLease.TakeAsync(_leases, "l", "a", _duration, _time))!;
        await _leases.ReleaseAsync("l", "a");
        await _leases.TakeAsync("l", "b", _duration);
        await AdvanceAsync(TimeSpan.FromSeconds(3));
        await LostAsync(held);
    }

    [Fact]
    public async Task Is_lost_when_it_cannot_be_renewed_for_its_time_and_not_before()
    {
        await using var held = (await HeldLease.TakeAsync(_leases, "l", "a", _duration, _time))!;
        for (var i = 0; i < 3; i++)
        {
            _leases.IsAway = true;
            await AdvanceAsync(TimeSpan.FromSeconds(3));
            Assert.False(held.Lost.IsCancellationRequested);
            _leases.IsAway = false;
            await AdvanceAsync(TimeSpan.FromSeconds(3));
            Assert.False(held.Lost.IsCancellationRequested);
        }

        _leases.IsAway = true;
        for (var i = 0; i < 3; i++)
        {
            await AdvanceAsync(TimeSpan.FromSeconds(3));
        }

        await LostAsync(held);
    }

    /// <summary>The renewal runs on when its timer has fired: it has a moment for that.</summary>
    private async Task AdvanceAsync(TimeSpan time)
    {
        _time.Advance(time);
        await Task.Delay(20, TestContext.Current.CancellationToken);
    }

    private static async Task LostAsync(HeldLease held)
    {
        var lost = new TaskCompletionSource();
        await using var registration = held.Lost.Register(lost.SetResult);
        await lost.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }
}
