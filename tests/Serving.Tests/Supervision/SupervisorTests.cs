using Microsoft.Extensions.Time.Testing;
using Serving.Cli.Supervision;

namespace Serving.Serving.Tests.Supervision;

public sealed class SupervisorTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly FakeObserver _observer = new();
    private readonly FakeLauncher _launcher = new();
    private readonly Supervisor _supervisor;

    public SupervisorTests() => _supervisor = New(_launcher);

    public void Dispose() => _supervisor.Dispose();

    [Fact]
    public async Task What_ends_is_started_again_after_the_back_off()
    {
        _supervisor.Start();
        (await _launcher.NextAsync()).End(1);
        Assert.Equal((1, TimeSpan.FromSeconds(0.25)), await _observer.NextEndingAsync());
        await StartsAgainAfterAsync(TimeSpan.FromSeconds(0.25));
        await _supervisor.StopAsync();
    }

    [Fact]
    public async Task Three_short_lives_before_the_platform_was_ready_are_too_many()
    {
        _supervisor.Start();
        for (var life = 0; life < 2; life++)
        {
            (await _launcher.NextAsync()).End(1);
            var (_, delay) = await _observer.NextEndingAsync();
            await AdvanceUntilAsync(() => _launcher.Count == life + 2, delay!.Value);
        }

        (await _launcher.NextAsync()).End(3);
        Assert.Equal((3, null), await _observer.NextEndingAsync());
        Assert.Equal(3, await _supervisor.GaveUp);
        Assert.Equal(3, _launcher.Count);
    }

    [Fact]
    public async Task What_ends_after_restarting_was_stopped_stays_ended()
    {
        _supervisor.Establish();
        _supervisor.Start();
        var child = await _launcher.NextAsync();
        _supervisor.StopRestarting();
        child.End(0);
        await _supervisor.StopAsync();
        Assert.Equal(1, _launcher.Count);
    }

    [Fact]
    public async Task An_established_platform_never_gives_up()
    {
        _supervisor.Establish();
        _supervisor.Start();
        for (var life = 0; life < 5; life++)
        {
            (await _launcher.NextAsync()).End(1);
            var (_, delay) = await _observer.NextEndingAsync();
            await AdvanceUntilAsync(() => _launcher.Count == life + 2, delay!.Value);
        }

        Assert.False(_supervisor.GaveUp.IsCompleted);
        await _supervisor.StopAsync();
    }

    [Fact]
    public async Task An_ordered_stop_starts_nothing_again()
    {
        _supervisor.Start();
        await _launcher.NextAsync();
        await _supervisor.StopAsync();
        Assert.Equal(1, _launcher.Count);
        Assert.False(_supervisor.GaveUp.IsCompleted);
    }

    [Fact]
    public async Task What_does_not_obey_in_time_is_killed()
    {
        _supervisor.Start();
        var child = await _launcher.NextAsync();
        child.IgnoresOrders = true;
        var stop = _supervisor.StopAsync();
        await child.Ordered.Task;
        Assert.False(child.WasKilled);
        await AdvanceUntilAsync(() => stop.IsCompleted, TimeSpan.FromSeconds(3));
        Assert.True(child.WasKilled);
    }

    [Fact]
    public async Task A_stop_during_the_back_off_ends_at_once()
    {
        _supervisor.Start();
        (await _launcher.NextAsync()).End(1);
        await _observer.NextEndingAsync();
        await _supervisor.StopAsync();
        Assert.Equal(1, _launcher.Count);
    }

    [Fact]
    public async Task A_program_that_cannot_be_started_is_given_up()
    {
        using var supervisor = New(new FakeLauncher { IsBroken = true });
        supervisor.Start();
        Assert.Equal(2, await supervisor.GaveUp);
    }

    private Supervisor New(FakeLauncher launcher) => new(
        new ChildSpec("child", "/bin/child", [], new Dictionary<string, string?>(), "/", TimeSpan.FromSeconds(3)), launcher, _observer, _time);

    private Task StartsAgainAfterAsync(TimeSpan delay) => AdvanceUntilAsync(() => _launcher.Count == 2, delay);

    /// <summary>The supervisor arms its timer a moment after it reports; time stands still until it has.</summary>
    private async Task AdvanceUntilAsync(Func<bool> isDone, TimeSpan delay)
    {
        while (!isDone())
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            _time.Advance(delay);
            await Task.Yield();
        }
    }
}
