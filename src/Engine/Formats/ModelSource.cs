using System.Security.Cryptography;
using Serving.Engine.Formats.Gguf;
using Serving.Engine.Formats.HuggingFace;

namespace Serving.Engine.Formats;

/// <summary>
/// A model as its user brought it, memory-mapped: its settings, its tensors and what it says of text. Every <see cref="ModelTensor"/> is valid until the source
/// is disposed.
/// </summary>
public abstract class ModelSource : IDisposable
{
    /// <summary>The GGUF file (of a split one the first part) or the folder, absolute.</summary>
    public abstract string Path { get; }

    public abstract ModelFormat Format { get; }

    /// <summary>Sizes and flags.</summary>
    public abstract ModelSettings Settings { get; }

    public abstract IReadOnlyCollection<ModelTensor> Tensors { get; }

    /// <summary>Bytes of all its files.</summary>
    public abstract long ByteCount { get; }

    /// <summary>When the newest of its files was written.</summary>
    public abstract DateTime LastWriteTimeUtc { get; }

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

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected abstract void Dispose(bool disposing);
}
