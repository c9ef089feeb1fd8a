using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Serving.Engine.Formats;

/// <summary>Calls of the C library on files that .NET has no name for. Elsewhere than on Linux nothing calls them.</summary>
internal static unsafe partial class LinuxFile
{
    private const int CurrentFolder = -100;
    private const int WillNotNeed = 4; // POSIX_FADV_DONTNEED
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

    /// <summary>Takes a file that has been written to the disk out of the system's cache, so that it is read again by pages as large as its reader wants them.</summary>
    public static void DropFromCache(SafeFileHandle file)
    {
        if (OperatingSystem.IsLinux())
        {
            // Advice: when it is not taken, the file is found in the cache.
            _ = Advise(file, 0, 0, WillNotNeed);
        }
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, Status* status);

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, nint offset, nint length, int advice);

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
