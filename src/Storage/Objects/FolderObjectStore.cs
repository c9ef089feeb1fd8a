using System.Runtime.CompilerServices;
using Microsoft.Extensions.Options;
using Serving.Storage.Configuration;

namespace Serving.Storage.Objects;

/// <summary>
/// Objects as files: each is written beside the others, flushed to the disk and renamed, and the folder's entry is flushed too. Several
/// gateways may share the folder.
/// </summary>
internal sealed class FolderObjectStore(IOptions<StorageOptions> options, TimeProvider time) : IObjectStore
{
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerFolder = OwnerFile | UnixFileMode.UserExecute;
    private const int BufferBytes = 64 << 10;

    private readonly string? _root = options.Value.Folder is { Length: > 0 } folder ? Path.GetFullPath(folder) : null;

    private string Root => _root ?? throw new StorageUnavailableException(
        "This gateway keeps nothing: set Storage:Folder to a folder that all gateways share (environment: Storage__Folder).");

    private string Drafts => Path.Combine(Root, "drafts");

    private string Objects => Path.Combine(Root, "objects");

    public ValueTask CheckAsync()
    {
        _ = Root;
        return ValueTask.CompletedTask;
    }

    public ValueTask<ObjectWriter> CreateAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        // The outermost first: the mode is that of the last folder alone, and this one keeps others out of all below it.
        MakeFolder(Root);
        MakeFolder(Drafts);
        var draft = Path.Combine(Drafts, Guid.NewGuid().ToString("N"));
        var file = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = BufferBytes, Options = FileOptions.Asynchronous };
        if (!OperatingSystem.IsWindows())
        {
            file.UnixCreateMode = OwnerFile;
        }

        return ValueTask.FromResult<ObjectWriter>(new Writer(new FileStream(draft, file), draft, PathOf(key)));
    }

    public ValueTask<Stream?> OpenAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        try
        {
            return ValueTask.FromResult<Stream?>(new FileStream(
                PathOf(key), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, BufferBytes, FileOptions.Asynchronous | FileOptions.SequentialScan));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return ValueTask.FromResult<Stream?>(null);
        }
    }

    public ValueTask<bool> DeleteAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var path = PathOf(key);
        if (!File.Exists(path))
        {
            return ValueTask.FromResult(false);
        }

        File.Delete(path);
        return ValueTask.FromResult(true);
    }

    public async IAsyncEnumerable<StoredObject> ListAsync(ObjectKey prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await ValueTask.CompletedTask;
        var folder = new DirectoryInfo(PathOf(prefix));
        if (!folder.Exists)
        {
            yield break;
        }

        foreach (var file in folder.EnumerateFiles("*", SearchOption.AllDirectories).OrderBy(file => file.FullName, StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var segments = Path.GetRelativePath(Objects, file.FullName).Split(Path.DirectorySeparatorChar);
            if (Array.TrueForAll(segments, ObjectKey.IsSegment))
            {
                yield return new StoredObject(ObjectKey.Of(segments), file.Length, file.LastWriteTimeUtc);
            }
        }
    }

    public ValueTask RemoveAbandonedAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        var drafts = new DirectoryInfo(Drafts);
        if (drafts.Exists)
        {
            var newest = time.GetUtcNow() - age;
            foreach (var draft in drafts.EnumerateFiles().Where(draft => draft.LastWriteTimeUtc < newest))
            {
                draft.Delete();
            }
        }

        return ValueTask.CompletedTask;
    }

    private string PathOf(ObjectKey key) => Path.Combine([Objects, .. key.Path.Split('/', StringSplitOptions.RemoveEmptyEntries)]);

    private static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, OwnerFolder);
        }
    }

    private sealed class Writer(FileStream stream, string draft, string path) : ObjectWriter
    {
        private bool _committed;

        public override Stream Stream => stream;

        public override async ValueTask CommitAsync(CancellationToken cancellationToken)
        {
            await stream.FlushAsync(cancellationToken);
            stream.Flush(flushToDisk: true);
            await stream.DisposeAsync();
            var folder = Path.GetDirectoryName(path)!;
            MakeFolder(folder);
            File.Move(draft, path, overwrite: true);
            FolderEntry.Flush(folder);
            _committed = true;
        }

        public override async ValueTask DisposeAsync()
        {
            await stream.DisposeAsync();
            if (!_committed)
            {
                File.Delete(draft);
            }
        }
    }
}
