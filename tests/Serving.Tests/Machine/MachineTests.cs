using Serving.Cli.Machine;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Serving.Tests.Machine;

public sealed class MachineTests
{
    private const long GiB = 1L << 30;

    [Theory]
    [InlineData("4GiB", 4 * GiB)]
    [InlineData("4 gib", 4 * GiB)]
    [InlineData("4g", 4 * GiB)]
    [InlineData("4GB", 4_000_000_000)]
    [InlineData("1.5MiB", 1_572_864)]
    [InlineData("512", 512)]
    [InlineData("512b", 512)]
    public void Reads_amounts_of_memory(string text, long expected)
    {
        Assert.True(ByteSize.TryParse(text, out var bytes));
        Assert.Equal(expected, bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("lots")]
    [InlineData("-4GiB")]
    [InlineData("4PiB")]
    [InlineData("4 G i B")]
    [InlineData("999999999999999TiB")]
    public void Refuses_what_is_no_amount_of_memory(string text) => Assert.False(ByteSize.TryParse(text, out _));

    [Fact]
    public void A_container_has_its_limit_and_not_the_machine_s_memory()
    {
        using var root = new TemporaryFolder();
        root.Touch("proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 1 kB\n");
        Assert.Equal(16 * GiB, MachineResources.ReadMemory(root.Root));
        root.Touch("sys/fs/cgroup/memory.max", "max\n");
        Assert.Equal(16 * GiB, MachineResources.ReadMemory(root.Root));
        root.Touch("sys/fs/cgroup/memory.max", $"{2 * GiB}\n");
        Assert.Equal(2 * GiB, MachineResources.ReadMemory(root.Root));
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 2, 2)]
    [InlineData(3, 3, 3)]
    [InlineData(4, 2, 2)]
    [InlineData(7, 3, 4)]
    public void Workers_get_cores_of_their_own_where_each_gets_two(int cores, int prefill, int decode)
    {
        var shares = WorkerShare.Divide(new MachineResources(cores, 10 * GiB), threads: null, memoryBytes: null);
        Assert.Equal((prefill, decode), (shares.Prefill.Threads, shares.Decode.Threads));
        Assert.Equal(3 * GiB, shares.Prefill.MemoryBytes);
    }

    [Theory]
    [InlineData(0, null, "--threads 0")]
    [InlineData(9, null, "--threads 9")]
    [InlineData(null, 100 * GiB, "--memory 100 GiB")]
    [InlineData(null, 1024L, "--memory 1024 bytes")]
    public void Refuses_what_the_machine_does_not_have(int? threads, long? memory, string complaint)
    {
        var e = Assert.Throws<StartupException>(() => WorkerShare.Divide(new MachineResources(8, 10 * GiB), threads, memory));
        Assert.Contains(complaint, e.Message);
    }
}
