using System.Diagnostics;

namespace Serving.Transfer.Tests;

public sealed class ThroughputTests
{
    /// <summary>Run by hand: <c>dotnet run --project tests/Transfer.Tests -c Release -- -explicit only</c>. One process is both ends, so it costs twice the CPU.</summary>
    [Fact(Explicit = true)]
    public async Task Measures_megabytes_a_second_on_loopback()
    {
        // SmolLM2-135M in fp32: 30 layers, 3 KV heads x 64; 2,048 tokens are 94 MB.
        KvTransferShape shape = new(layers: 30, tokens: 2048, blockSize: 16, bytesPerTokenPerLayer: 1536);
        TestMemory source = TestMemory.Filled(shape);
        await using Loopback loopback = new();
        Stopwatch watch = new();
        for (int i = 0; i < 12; i++)
        {
            KvLease lease = loopback.Receiver.Expect(shape, new TestMemory(shape));
            long allocated = GC.GetTotalAllocatedBytes(precise: true);
            watch.Restart();
            Assert.True((await loopback.SendAsync(lease, source)).IsCompleted);
            double seconds = watch.Elapsed.TotalSeconds;
            allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
            Console.WriteLine($"{shape.Bytes / 1e6 / seconds:F0} MB/s, {allocated} bytes allocated for {shape.Frames} frames");
        }
    }
}
