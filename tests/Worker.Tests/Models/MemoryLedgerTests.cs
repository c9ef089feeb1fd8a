using Serving.Engine.Execution;
using Serving.Worker.Models;

namespace Serving.Worker.Tests.Models;

public sealed class MemoryLedgerTests
{
    private const long MiB = 1 << 20;
    private static readonly ModelFootprint _footprint = new(WeightBytes: 70 * MiB, MappedBytes: 30 * MiB, KvBytesPerBlock: MiB, ScratchBytes: 10 * MiB);

    [Fact]
    public void Takes_no_more_blocks_than_were_asked_for() => Assert.Equal(64, Blocks(budgetMiB: 10_000, tokensMax: 1024));

    [Fact]
    public void Takes_what_fits_where_the_memory_is_short() => Assert.Equal(40, Blocks(budgetMiB: 150, tokensMax: 1024));

    [Fact]
    public void Refuses_with_figures_when_not_even_a_short_conversation_fits()
    {
        WorkerStartException refusal = Assert.Throws<WorkerStartException>(() => Blocks(budgetMiB: 120, tokensMax: 1024));
        Assert.Contains("120 MiB", refusal.Message);
        Assert.Contains("weights 100 MiB", refusal.Message);
        Assert.Contains("--memory", refusal.Message);
    }

    [Fact]
    public void Takes_a_share_of_the_machine_by_default() => Assert.InRange(MemoryLedger.BudgetBytes(0), 1, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    private static int Blocks(long budgetMiB, int tokensMax) =>
        MemoryLedger.KvBlocks("m", _footprint, blockSize: 16, budgetMiB * MiB, tokensMax, kvTokensMin: 256);
}
