using System.Runtime.InteropServices;

namespace Serving.Engine;

/// <summary>What the system is told about memory: advice, without effect where it is not taken.</summary>
internal static unsafe partial class SystemMemory
{
    /// <summary>Bytes of a huge page, and what its address is a multiple of.</summary>
    public const int HugePage = 2 << 20;

    // Of madvise(2).
    private const int WillNotNeed = 4;
    private const int HugePages = 14;

    /// <summary>Lets the whole huge pages of a range be huge, also those of a mapped file, where the system's cache has it by such pages.</summary>
    public static void UseHugePages(byte* address, long byteCount)
    {
        // The last, partly used one would take more memory than was asked for.
        long start = ((long)address + HugePage - 1) & -HugePage;
        long end = ((long)address + byteCount) & -HugePage;
        if (OperatingSystem.IsLinux() && start < end)
        {
            _ = Advise((byte*)start, (nuint)(end - start), HugePages);
        }
    }

    /// <summary>Takes the pages of a mapped file out of this process's memory. Who reads one again gets it from the file, or from the system's cache of it.</summary>
    /// <param name="address">The start of the mapping.</param>
    public static void ReleasePages(byte* address, long byteCount)
    {
        if (OperatingSystem.IsLinux() && byteCount > 0)
        {
            _ = Advise(address, (nuint)byteCount, WillNotNeed);
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(byte* address, nuint length, int advice);
}
