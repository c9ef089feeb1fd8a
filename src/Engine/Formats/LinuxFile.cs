using System.Runtime.InteropServices;

namespace Serving.Engine.Formats;

/// <summary>The two calls of the C library that .NET has no name for. Elsewhere than on Linux nothing calls them.</summary>
internal static unsafe partial class LinuxFile
{
    private const int CurrentFolder = -100;
    private const int DropPages = 4;
    private const uint BasicStats = 0x7ff;

    /// <summary>What tells a state of a file from every other: which file, how long, when its content and when anything of it changed last. Null where the system does not say.</summary>
    public static FileStamp? FindStamp(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        Status status;
        try
        {
            if (StatX(CurrentFolder, path, 0, BasicStats, &status) != 0)
            {
                return null;
            }
        }
        catch (EntryPointNotFoundException)
        {
            return null; // A C library from before 2018.
        }

        return new FileStamp(
            ((ulong)status.DeviceMajor << 32) | status.DeviceMinor, status.Inode, status.Size, status.Modified.Nanoseconds, status.Changed.Nanoseconds);
    }

    /// <summary>Takes the pages of a mapped file out of this process's memory. Who reads one again gets it from the file, or from the system's cache of it.</summary>
    /// <param name="address">The start of the mapping.</param>
    public static void ReleasePages(byte* address, long byteCount)
    {
        if (OperatingSystem.IsLinux() && byteCount > 0)
        {
            // Advice: when it is not taken, the pages stay until the system wants them.
            _ = Advise(address, (nuint)byteCount, DropPages);
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, Status* status);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(byte* address, nuint length, int advice);

    /// <summary>struct statx_timestamp.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public long Seconds;
        public uint Fraction;
        public int Reserved;

        public readonly long Nanoseconds => (Seconds * 1_000_000_000) + Fraction;
    }

    /// <summary>struct statx, which is the same on every processor (linux/stat.h).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Status
    {
        [FieldOffset(32)]
        public ulong Inode;
        [FieldOffset(40)]
        public long Size;
        [FieldOffset(96)]
        public Time Changed;
        [FieldOffset(112)]
        public Time Modified;
        [FieldOffset(136)]
        public uint DeviceMajor;
        [FieldOffset(140)]
        public uint DeviceMinor;
    }
}
