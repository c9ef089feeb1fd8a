using System.Globalization;

namespace Serving.Cli.Machine;

/// <summary>What this machine, or the container that this process runs in, has.</summary>
internal sealed record MachineResources(int Cores, long MemoryBytes)
{
    private static readonly string[] CgroupLimits = ["sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"];

    public static MachineResources Read() => new(Environment.ProcessorCount, ReadMemory("/"));

    /// <param name="root">Where /proc and /sys are; another folder in tests.</param>
    internal static long ReadMemory(string root)
    {
        var memory = ReadPhysicalMemory(Path.Combine(root, "proc/meminfo")) ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        foreach (var file in CgroupLimits.Select(file => Path.Combine(root, file)).Where(File.Exists))
        {
            // "max", and version 1's huge number, say that there is no limit.
            if (long.TryParse(File.ReadAllText(file).Trim(), CultureInfo.InvariantCulture, out var limit) && limit > 0)
            {
                memory = Math.Min(memory, limit);
            }
        }

        return memory;
    }

    /// <summary>What this process holds of the machine's memory; null where the system does not say.</summary>
    public static long? ResidentBytes() => ReadKilobytes("/proc/self/status", "VmRSS:");

    private static long? ReadPhysicalMemory(string file) => ReadKilobytes(file, "MemTotal:");

    private static long? ReadKilobytes(string file, string key)
    {
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal)) : null;
        var kilobytes = line?[key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim();
        return long.TryParse(kilobytes, CultureInfo.InvariantCulture, out var count) ? count * 1024 : null;
    }
}
