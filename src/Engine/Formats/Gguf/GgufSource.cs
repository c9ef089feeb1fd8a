using System.Security.Cryptography;
using Serving.Text.Tokenization;

namespace Serving.Engine.Formats.Gguf;

/// <summary>A GGUF model: one file.</summary>
public sealed class GgufSource : ModelSource
{
    private readonly GgufFile _file;
    private readonly Dictionary<string, ModelTensor> _tensors = new(StringComparer.Ordinal);

    private GgufSource(GgufFile file)
    {
        _file = file;
        Settings = new GgufSettings(file.Metadata);
        foreach (GgufTensor tensor in file.Tensors)
        {
            long[] shape = [.. tensor.Dimensions];
            Array.Reverse(shape);
            _tensors.Add(
                tensor.Name,
                new ModelTensor(tensor.Name, tensor.Type, shape, file.Address(tensor), tensor.ByteCount, file.Path, tensor.DirectoryOffset));
        }
    }

    public override string Path => _file.Path;

    public override ModelFormat Format => ModelFormat.Gguf;

    public override ModelSettings Settings { get; }

    /// <summary>Every key of the file.</summary>
    public GgufMetadata Metadata => _file.Metadata;

    public override IReadOnlyCollection<ModelTensor> Tensors => _tensors.Values;

    public override long ByteCount => _file.Length;

    public override DateTime LastWriteTimeUtc => _file.LastWriteTimeUtc;

    /// <summary>Opens a GGUF model by its file.</summary>
    public static new GgufSource Open(string path)
    {
        GgufFile file = GgufFile.Open(path);
        try
        {
            return new GgufSource(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens the one GGUF model of a folder.</summary>
    public static GgufSource OpenFolder(string path)
    {
        string[] files = Directory.GetFiles(path, "*.gguf");
        return files.Length == 1
            ? Open(files[0])
            : throw new ModelFormatException(path, null, "the folder", $"has no config.json and {files.Length} .gguf files instead of one");
    }

    public override ModelTensor? FindTensor(string name) => _tensors.GetValueOrDefault(name);

    public override ModelText ReadText()
    {
        GgufModelMetadata metadata = GgufModelMetadata.Read(_file);
        return new ModelText(metadata.Name, metadata.Organization, GgufTokenizer.Create(metadata.Vocabulary), metadata.ChatTemplate, SamplingDefaults.None);
    }

    public override void AppendIdentity(IncrementalHash hash)
    {
        ArgumentNullException.ThrowIfNull(hash);
        hash.AppendData(_file.DirectoryBytes);
        hash.AppendData(BitConverter.GetBytes(_file.Length));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
        }
    }
}
