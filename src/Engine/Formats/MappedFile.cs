using System.IO.MemoryMappedFiles;

namespace Serving.Engine.Formats;

/// <summary>A whole file mapped for reading. It must not be cut short by anybody while it is mapped: reading past its new end kills the process.</summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly FileStream? _held;
    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;

    private MappedFile(FileStream stream, bool hold)
    {
        _held = hold ? stream : null;
        Path = stream.Name;
        Length = stream.Length;
        LastWriteTimeUtc = File.GetLastWriteTimeUtc(stream.SafeFileHandle);
        if (Length == 0)
        {
            return; // The system maps no empty file; a format's reader says what is missing.
        }

        _map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = _map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* data = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref data);
        Data = data;
    }

    public string Path { get; }

    public long Length { get; }

    public DateTime LastWriteTimeUtc { get; }

    public byte* Data { get; private set; }

    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static MappedFile Open(string path)
    {
        using FileStream stream = OpenRead(path);
        return new MappedFile(stream, hold: false);
    }

    /// <summary>Maps a file and keeps it open, so that until this is disposed nobody can open it for himself alone.</summary>
    /// <exception cref="IOException">The file is missing, cannot be read, or somebody has it for himself alone.</exception>
    public static MappedFile Hold(string path)
    {
        FileStream stream = OpenRead(path);
        try
        {
            return new MappedFile(stream, hold: true);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Takes its pages out of this process's memory; who reads one gets it back.</summary>
    public void ReleasePages() => SystemMemory.ReleasePages(Data, Length);

    /// <summary>Has it read by huge pages. For files of which all is read: a page comes whole.</summary>
    public void UseHugePages() => SystemMemory.UseHugePages(Data, Length);

    public void Dispose()
    {
        if (Data != null)
        {
            Data = null;
            _view!.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        _view?.Dispose();
        _map?.Dispose();
        _held?.Dispose();
    }

    private static FileStream OpenRead(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
}
