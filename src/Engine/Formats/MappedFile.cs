using System.IO.MemoryMappedFiles;

namespace Serving.Engine.Formats;

/// <summary>A whole file mapped for reading. It must not be cut short by anybody while it is mapped: reading past its new end kills the process.</summary>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;

    private MappedFile(FileStream stream)
    {
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
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        return new MappedFile(stream);
    }

    public void Dispose()
    {
        if (Data != null)
        {
            Data = null;
            _view!.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        _view?.Dispose();
        _map?.Dispose();
    }
}
