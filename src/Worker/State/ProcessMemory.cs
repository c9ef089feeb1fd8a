using System.Globalization;

namespace Serving.Worker.State;

/// <summary>What the system counts as a process's memory, in bytes.</summary>
/// <param name="ResidentBytes">Pages that are in memory.</param>
/// <param name="ResidentFileBytes">Of these, pages of files; 0 where the system does not tell.</param>
internal readonly record struct ProcessMemory(long ResidentBytes, long ResidentFileBytes)
{
    private const string StatusFile = "/proc/self/status";

    public static ProcessMemory Read() => File.Exists(StatusFile) ? Parse(File.ReadLines(StatusFile)) : new(Environment.WorkingSet, 0);

    /// <param name="status">The lines of <c>/proc/PID/status</c> (proc_pid_status(5)).</param>
    internal static ProcessMemory Parse(IEnumerable<string> status)
    {
        (long resident, long file) = (0, 0);
        foreach (string line in status)
        {
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words is ["VmRSS:" or "RssFile:", _, "kB"] && long.TryParse(words[1], CultureInfo.InvariantCulture, out long kilobytes))
            {
                (resident, file) = words[0] == "VmRSS:" ? (kilobytes << 10, file) : (resident, kilobytes << 10);
            }
        }

        return new ProcessMemory(resident, file);
    }
}
