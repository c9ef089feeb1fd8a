using Serving.Contracts.Cluster;
using Serving.ServiceDefaults.Cluster;

namespace Serving.ServiceDefaults.Tests;

public sealed class ClusterMergeTests
{
    [Fact]
    public void After_an_outage_workers_that_have_not_come_back_yet_stay()
    {
        var kept = ClusterMerge.KeepMissing([Entry("a"), Entry("c")], [Entry("b"), Entry("c", running: 2)]);
        Assert.Equal(["a", "b", "c"], kept.Select(entry => entry.Registration.Id));
        Assert.Equal(2, kept[2].Load!.RunningSequences);
    }

    [Fact]
    public void Equal_lists_are_the_same_although_their_model_lists_are_different_objects() =>
        Assert.True(ClusterMerge.AreSame([Entry("a", running: 1)], [Entry("a", running: 1)]));

    [Fact]
    public void A_changed_load_is_a_change() => Assert.False(ClusterMerge.AreSame([Entry("a", running: 1)], [Entry("a", running: 2)]));

    [Fact]
    public void A_load_of_an_unknown_worker_changes_nothing()
    {
        IReadOnlyList<WorkerEntry> known = [Entry("a")];
        Assert.Same(known, ClusterMerge.WithLoad(known, Entry("b", running: 1).Load!));
    }

    [Fact]
    public void A_load_replaces_the_one_before_of_its_worker_only()
    {
        var merged = ClusterMerge.WithLoad([Entry("a", running: 1), Entry("b", running: 1)], Entry("b", running: 5).Load!);
        Assert.Equal([1, 5], merged.Select(entry => entry.Load!.RunningSequences));
    }

    private static WorkerEntry Entry(string id, int running = 0) => new(
        new WorkerRegistration(id, WorkerRole.Decode, "http://127.0.0.1:1", [new ServedModel("m", "f", 10, DateTimeOffset.UnixEpoch, "o")], 1, DateTimeOffset.UnixEpoch, Draining: false),
        new WorkerLoad(id, running, 0, 0, 0, 10));
}
