using System.Runtime.InteropServices;

namespace Serving.EndToEnd;

internal enum UnixSignal
{
    Interrupt = 2,
    Kill = 9,
    Terminate = 15,
}

/// <summary>The system's processes, from /proc: the tests that start platforms run on Linux.</summary>
internal static partial class ProcessTable
{
    /// <summary>Processes whose command line or environment contains <paramref name="text"/>, zombies left out.</summary>
    public static IReadOnlyList<int> ThatMention(string text)
    {
        List<int> pids = [];
        foreach (string folder in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), out int pid) && pid != Environment.ProcessId && Mentions(folder, text))
            {
                pids.Add(pid);
            }
        }

        return pids;
    }

    public static void Send(int pid, UnixSignal signal) => _ = NativeKill(pid, (int)signal);

    private static bool Mentions(string folder, string text)
    {
        try
        {
            return (File.ReadAllText(Path.Combine(folder, "cmdline")).Contains(text, StringComparison.Ordinal)
                    || File.ReadAllText(Path.Combine(folder, "environ")).Contains(text, StringComparison.Ordinal))
                && !File.ReadAllText(Path.Combine(folder, "stat")).Contains(") Z ", StringComparison.Ordinal);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // it ended while we looked
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int NativeKill(int pid, int signal);
}
