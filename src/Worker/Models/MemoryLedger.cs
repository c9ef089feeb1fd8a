using Serving.Engine.Execution;

namespace Serving.Worker.Models;

/// <summary>Splits a worker's memory over weights, scratch and KV blocks before anything is loaded.</summary>
internal static class MemoryLedger
{
    /// <summary>Share of what the process may use that is taken by default.</summary>
    private const double DefaultShare = 0.6;

    private const double MiB = 1 << 20;

    /// <summary>The bytes that a worker may use: the option's, or a share of the machine's or container's.</summary>
    public static long BudgetBytes(long configuredBytes) =>
        configuredBytes > 0 ? configuredBytes : (long)(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes * DefaultShare);

    /// <summary>KV blocks that fit beside the weights and the scratch, at most those for <paramref name="kvTokensMax"/> tokens.</summary>
    /// <exception cref="WorkerStartException">Not even a short conversation fits; the message has the figures.</exception>
    public static int KvBlocks(string model, ModelFootprint footprint, int blockSize, long budgetBytes, int kvTokensMax, int kvTokensMin)
    {
        long left = budgetBytes - footprint.WeightBytes - footprint.MappedBytes - footprint.ScratchBytes;
        long fitting = left / footprint.KvBytesPerBlock;
        long wanted = ((long)kvTokensMax + blockSize - 1) / blockSize;
        long least = ((long)kvTokensMin + blockSize - 1) / blockSize;
        if (fitting < least)
        {
            throw new WorkerStartException(
                $"The model '{model}' does not fit into {budgetBytes / MiB:F0} MiB: weights {(footprint.WeightBytes + footprint.MappedBytes) / MiB:F0} MiB, scratch "
                + $"{footprint.ScratchBytes / MiB:F0} MiB, and at least {least * footprint.KvBytesPerBlock / MiB:F0} MiB of KV cache for {kvTokensMin} tokens. "
                + "Give more memory (--memory, or Worker__MemoryBytes) or serve a smaller model.");
        }

        return (int)Math.Min(fitting, wanted);
    }
}
