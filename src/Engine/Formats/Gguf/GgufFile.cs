namespace Serving.Engine.Formats.Gguf;

/// <summary>
/// A GGUF v3 model file, memory-mapped. Opening it reads and checks the metadata and the tensor directory; tensor data is read where it lies.
/// Every address handed out is valid until the file is disposed.
/// </summary>
public sealed unsafe class GgufFile : IDisposable
{
    private readonly MappedFile _file;
    private readonly GgufDirectory _directory;

    private GgufFile(MappedFile file)
    {
        _file = file;
        ForeignFile.Refuse(file);
        _directory = GgufDirectory.Read(file.Path, file.Data, file.Length);
        Metadata = new GgufMetadata(file.Path, _directory.Values);
    }

    public string Path => _file.Path;

    internal MappedFile Mapping => _file;

    public long Length => _file.Length;

    public DateTime LastWriteTimeUtc => _file.LastWriteTimeUtc;

    public GgufMetadata Metadata { get; }

    /// <summary>The tensors in the file's order.</summary>
    public IReadOnlyList<GgufTensor> Tensors => _directory.Tensors;

    /// <summary>Header, metadata and tensor directory as they lie in the file.</summary>
    public ReadOnlySpan<byte> DirectoryBytes => new(_file.Data, _directory.ByteCount);

    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="ModelFormatException">It is not a GGUF file that this reader can trust.</exception>
    public static GgufFile Open(string path)
    {
        MappedFile file = MappedFile.Open(path);
        try
        {
            return new GgufFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public GgufTensor? FindTensor(string name) => _directory.TensorsByName.GetValueOrDefault(name);

    /// <summary>Address of a tensor's first byte.</summary>
    public nint Address(GgufTensor tensor) => (nint)(_file.Data + tensor.Offset);

    public void Dispose() => _file.Dispose();
}
