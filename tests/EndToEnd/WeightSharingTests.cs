using Serving.Contracts.Cluster;
using Serving.TestKit;

namespace Serving.EndToEnd;

/// <summary>The workers of a platform pack the model's weights once and map them both.</summary>
[Collection(SharedPlatformCollection.Name)]
public sealed class WeightSharingTests(SharedPlatform shared)
{
    private static readonly string _embedder = Path.Combine(Repository.Root, "models", "all-minilm-l6-v2", "model_quantized.onnx");

    [Fact]
    public async Task Both_workers_map_one_file()
    {
        string file = Assert.Single(Directory.GetFiles(Path.Combine(shared.Platform.Data, "weights"), "*.weights"));
        IReadOnlyList<WorkerState> workers = await Cluster.StatesAsync(shared.Platform);

        Assert.Equal(2, workers.Count);
        Assert.All(workers, worker =>
        {
            Assert.InRange(worker.Memory.MappedWeightBytes, 1, new FileInfo(file).Length);
            // ONNX Runtime keeps an embedder's weights in memory of its own.
            long embedder = worker.Worker.Models.Any(model => model.Kind == ModelKind.Embedding) ? new FileInfo(_embedder).Length : 0;
            Assert.InRange(worker.Memory.OwnWeightBytes - embedder, 1, worker.Memory.MappedWeightBytes / 100);
            Assert.Contains(file, File.ReadAllText($"/proc/{worker.Worker.Pid}/maps"), StringComparison.Ordinal);
        });
    }
}
