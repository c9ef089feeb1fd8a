using System.Runtime.InteropServices;

namespace Serving.Storage.Objects;

/// <summary>
/// A renamed file survives a power failure only once its folder has been flushed too (POSIX <c>fsync</c> on a folder), for which .NET has no call.
/// </summary>
internal static partial class FolderEntry
{
    private const int ReadOnly = 0;

    /// <summary>Does nothing where the system has no such call (Windows keeps its own journal).</summary>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = Open(folder, ReadOnly);
        if (descriptor < 0)
        {
            throw new IOException($"The folder {folder} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        // A file system that cannot flush folders says so; the rename itself has succeeded.
        _ = FSync(descriptor);
        _ = Close(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
