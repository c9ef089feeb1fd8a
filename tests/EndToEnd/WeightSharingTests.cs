using Serving.Contracts.Cluster;

namespace Serving.EndToEnd;

/// <summary>The workers of a platform pack the model's weights once and map them both.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class WeightSharingTests(SharedPlatform shared)
{
    [Fact]
    public async Task Both_workers_map_one_file()
    {
        string file = Assert.Single(Directory.GetFiles(Path.Combine(shared.Platform.Data, "weights"), "*.weights"));
        IReadOnlyList<WorkerState> workers = await Cluster.StatesAsync(shared.Platform);

        Assert.Equal(2, workers.Count);
        Assert.All(workers, worker =>
        {
            Assert.InRange(worker.Memory.MappedWeightBytes, 1, new FileInfo(file).Length);
            Assert.InRange(worker.Memory.OwnWeightBytes, 1, worker.Memory.MappedWeightBytes / 100);
            Assert.Contains(file, File.ReadAllText($"/proc/{worker.Worker.Pid}/maps"), StringComparison.Ordinal);
        });
    }
}
