using Serving.ServiceDefaults.Hosting;

namespace Serving.Cli.Machine;

/// <summary>What one worker may use.</summary>
/// <param name="Threads">Compute threads.</param>
/// <param name="MemoryBytes">Weights, KV pool and scratch together.</param>
internal sealed record WorkerShare(int Threads, long MemoryBytes)
{
    public const long MemoryBytesMin = 512L << 20;
    private const double DefaultMemoryPart = 0.6;

    /// <summary>Divides threads and memory between the prefill and the decode worker.</summary>
    /// <param name="threads">Threads in all; null: one a core.</param>
    /// <param name="memoryBytes">Memory in all; null: 0.6 of what the machine has.</param>
    /// <exception cref="StartupException">The machine does not have that much, or it is too little to work with.</exception>
    public static (WorkerShare Prefill, WorkerShare Decode) Divide(MachineResources machine, int? threads, long? memoryBytes)
    {
        var total = threads ?? machine.Cores;
        if (total < 1 || total > machine.Cores)
        {
            throw new StartupException($"--threads {total} does not fit this machine: it has {machine.Cores} cores, so give 1 to {machine.Cores}.");
        }

        var memory = memoryBytes ?? (long)(machine.MemoryBytes * DefaultMemoryPart);
        if (memory > machine.MemoryBytes)
        {
            throw new StartupException($"--memory {ByteSize.Format(memory)} is more than this machine has ({ByteSize.Format(machine.MemoryBytes)}).");
        }

        if (memory < 2 * MemoryBytesMin)
        {
            throw new StartupException($"--memory {ByteSize.Format(memory)} is too little: two workers need {ByteSize.Format(2 * MemoryBytesMin)} at least.");
        }

        // With fewer than two threads each, both share all: whichever has work uses them.
        var prefillThreads = total >= 4 ? total / 2 : total;
        var decodeThreads = total >= 4 ? total - prefillThreads : total;
        return (new WorkerShare(prefillThreads, memory / 2), new WorkerShare(decodeThreads, memory / 2));
    }
}
