using System.Diagnostics.CodeAnalysis;

namespace Serving.Engine.PackedWeights;

/// <summary>The folder of a <see cref="WeightCache"/>: who may write to it, and what is deleted when room is needed. Only the holder of its lock deletes.</summary>
internal sealed class WeightCacheFolder(string root, TimeProvider time)
{
    private const string EntrySuffix = ".weights";
    private const string DraftSuffix = ".draft";
    private const int SourceRecordsMax = 256;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public string Root => root;

    /// <summary>A new name beside a file, for a draft that is moved to its place when it is whole.</summary>
    public static string DraftOf(string path) => $"{path}.{Guid.NewGuid():n}{DraftSuffix}";

    /// <summary>The file of a model's packed weights. Those of one model and family begin alike.</summary>
    public string EntryPath(UInt128 content, string family, UInt128 key) => Path.Combine(root, $"{Prefix(content, family)}{key:x32}{EntrySuffix}");

    /// <summary>Makes the folder, for nobody but its owner, if it is missing.</summary>
    public void Create()
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(root);
        }
        else
        {
            Directory.CreateDirectory(root, OwnerOnly);
        }
    }

    /// <summary>Takes the right to write, until it is disposed or the process ends.</summary>
    /// <returns>False while another process, or another cache of this one, has it.</returns>
    /// <exception cref="IOException">The folder cannot be written to.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public bool TryLock([NotNullWhen(true)] out IDisposable? held)
    {
        try
        {
            held = new FileStream(Path.Combine(root, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            return true;
        }
        catch (IOException exception) when (IsTaken(exception))
        {
            held = null;
            return false;
        }
    }

    /// <summary>Remembers that an entry was used, for the order of deletion.</summary>
    public void MarkUsed(string entry)
    {
        try
        {
            File.SetLastWriteTimeUtc(entry, time.GetUtcNow().UtcDateTime);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A folder that cannot be written to deletes nothing either.
        }
    }

    /// <summary>
    /// Deletes what nobody uses and nobody will: drafts of writers that died, other versions of an entry, old source records; and then, the longest unused first, what
    /// has to go so that the entry and the others stay below a bound.
    /// </summary>
    /// <returns>Whether there is room for the entry.</returns>
    public bool MakeRoom(string entry, UInt128 content, string family, long entryBytes, long bytesMax)
    {
        foreach (FileInfo draft in Files(DraftSuffix))
        {
            draft.Delete();
        }

        foreach (FileInfo other in Files(EntrySuffix))
        {
            if (other.Name.StartsWith(Prefix(content, family), StringComparison.Ordinal) && other.FullName != entry)
            {
                TryDelete(other);
            }
        }

        List<FileInfo> records = Files(ContentIdentity.RecordSuffix);
        for (int i = 0; i < records.Count - SourceRecordsMax; i++)
        {
            records[i].Delete();
        }

        List<FileInfo> entries = Files(EntrySuffix);
        long total = entryBytes;
        entries.RemoveAll(file => file.FullName == entry);
        entries.ForEach(file => total += file.Length);
        for (int i = 0; total > bytesMax && entryBytes <= bytesMax && i < entries.Count; i++)
        {
            long bytes = entries[i].Length;
            total -= TryDelete(entries[i]) ? bytes : 0;
        }

        return total <= bytesMax;
    }

    private static string Prefix(UInt128 content, string family) => $"{content:x32}-{family}-";

    /// <summary>Deletes an entry that nobody has open.</summary>
    private static bool TryDelete(FileInfo entry)
    {
        try
        {
            using var alone = new FileStream(entry.FullName, FileMode.Open, FileAccess.Read, FileShare.None, bufferSize: 0);
            entry.Delete();
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // A worker maps it.
        }
    }

    /// <summary>Whether opening failed because others have the file: EWOULDBLOCK of Linux and of the BSDs, a sharing violation of Windows.</summary>
    private static bool IsTaken(IOException exception) => exception.HResult is 11 or 35 or unchecked((int)0x80070020);

    /// <summary>The files of a kind, the longest unused first.</summary>
    private List<FileInfo> Files(string suffix)
    {
        List<FileInfo> files = [.. new DirectoryInfo(root).GetFiles("*" + suffix)];
        files.Sort(static (one, other) => one.LastWriteTimeUtc.CompareTo(other.LastWriteTimeUtc));
        return files;
    }
}
