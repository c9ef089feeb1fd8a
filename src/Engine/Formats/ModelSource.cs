using System.Security.Cryptography;
using Serving.Engine.Formats.Gguf;
using Serving.Engine.Formats.HuggingFace;

namespace Serving.Engine.Formats;

/// <summary>
/// A model as its user brought it, memory-mapped: its settings, its tensors and what it says of text. Every <see cref="ModelTensor"/> is valid until the source
/// is disposed; an executor that reads weights in place keeps the files mapped until it is disposed too.
/// </summary>
public abstract class ModelSource : IDisposable
{
    // Whoever opened the source, and every executor that reads its tensors.
    private int _holders = 1;
    private int _isDisposed;

    /// <summary>The GGUF file (of a split one the first part) or the folder, absolute.</summary>
    public abstract string Path { get; }

    public abstract ModelFormat Format { get; }

    /// <summary>Sizes and flags.</summary>
    public abstract ModelSettings Settings { get; }

    public abstract IReadOnlyCollection<ModelTensor> Tensors { get; }

    /// <summary>Bytes of all its files.</summary>
    public long ByteCount
    {
        get
        {
            long bytes = 0;
            foreach (MappedFile file in Files)
            {
                bytes += file.Length;
            }

            return bytes;
        }
    }

    /// <summary>When the newest of its files was written.</summary>
    public DateTime LastWriteTimeUtc
    {
        get
        {
            DateTime newest = DateTime.MinValue;
            foreach (MappedFile file in Files)
            {
                newest = file.LastWriteTimeUtc > newest ? file.LastWriteTimeUtc : newest;
            }

            return newest;
        }
    }

    /// <summary>The files that hold its tensors.</summary>
    internal abstract IReadOnlyList<MappedFile> Files { get; }

    /// <summary>Opens a <c>.gguf</c> file, one part of a split one, a folder that holds one GGUF model, or a Hugging Face folder.</summary>
    /// <exception cref="IOException">There is no such file or folder, or it cannot be read.</exception>
    /// <exception cref="ModelFormatException">It is not a model that this reader can trust.</exception>
    public static ModelSource Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        path = System.IO.Path.GetFullPath(path);
        if (!Directory.Exists(path))
        {
            return GgufSource.Open(path);
        }

        return HuggingFaceSource.IsFolder(path) ? HuggingFaceSource.Open(path) : GgufSource.OpenFolder(path);
    }

    public abstract ModelTensor? FindTensor(string name);

    /// <summary>What the model says of text: vocabulary, chat template, sampling defaults.</summary>
    /// <exception cref="ModelFormatException">Something of it is missing or cannot be used.</exception>
    public abstract ModelText ReadText();

    /// <summary>Adds to a hash what tells this model's weights from another's, besides samples of the tensors: headers, names and lengths.</summary>
    public abstract void AppendIdentity(IncrementalHash hash);

    /// <summary>The error for a tensor that is not there.</summary>
    public ModelFormatException Missing(string tensor) => new(Path, null, $"tensor {tensor}", "is missing");

    /// <summary>Takes the files' pages out of this process's memory, as after all of a model was read once; who reads a tensor again gets them back.</summary>
    public void ReleasePages()
    {
        foreach (MappedFile file in Files)
        {
            file.ReleasePages();
        }
    }

    /// <summary>Ends the opener's use. The files are closed when nobody holds them any more.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            Release();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Keeps the files mapped until <see cref="Release"/>, whatever the opener does. The opener must not have disposed the source yet.</summary>
    /// <exception cref="ObjectDisposedException">The opener has disposed it.</exception>
    internal void Retain()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isDisposed) != 0, this);
        Interlocked.Increment(ref _holders);
    }

    /// <summary>Gives back what <see cref="Retain"/> took, once.</summary>
    internal void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            Dispose(disposing: true);
        }
    }

    /// <summary>Closes the files.</summary>
    protected abstract void Dispose(bool disposing);
}
