using System.Security.Cryptography;
using Serving.Text.Tokenization;

namespace Serving.Engine.Formats.Gguf;

/// <summary>A GGUF model: one file, or the parts of a split one, whose first holds the settings.</summary>
public sealed class GgufSource : ModelSource
{
    private readonly GgufFile[] _parts;
    private readonly Dictionary<string, ModelTensor> _tensors = new(StringComparer.Ordinal);

    private GgufSource(GgufFile[] parts)
    {
        _parts = parts;
        Settings = new GgufSettings(Metadata);
        foreach (GgufFile part in parts)
        {
            Add(part);
        }
    }

    public override string Path => _parts[0].Path;

    public override ModelFormat Format => ModelFormat.Gguf;

    public override ModelSettings Settings { get; }

    /// <summary>Every key of the file, of a split model's first part.</summary>
    public GgufMetadata Metadata => _parts[0].Metadata;

    public override IReadOnlyCollection<ModelTensor> Tensors => _tensors.Values;

    internal override IReadOnlyList<MappedFile> Files => Array.ConvertAll(_parts, part => part.Mapping);

    /// <summary>Opens a GGUF model by its file, or by any part of a split one.</summary>
    public static new GgufSource Open(string path)
    {
        GgufFile[] parts = GgufSplit.Open(System.IO.Path.GetFullPath(path));
        try
        {
            return new GgufSource(parts);
        }
        catch
        {
            Array.ForEach(parts, part => part.Dispose());
            throw;
        }
    }

    /// <summary>Opens the one GGUF model of a folder.</summary>
    public static GgufSource OpenFolder(string path)
    {
        List<string> models = GgufSplit.Models(Directory.GetFiles(path, "*.gguf"));
        return models.Count == 1
            ? Open(models[0])
            : throw new ModelFormatException(
                path, null, "the folder", models.Count == 0 ? "has neither config.json nor a .gguf file" : $"has {models.Count} GGUF models and no config.json; give the path of one of them");
    }

    public override ModelTensor? FindTensor(string name) => _tensors.GetValueOrDefault(name);

    public override ModelText ReadText()
    {
        GgufModelMetadata metadata = GgufModelMetadata.Read(_parts[0]);
        return new ModelText(metadata.Name, metadata.Organization, CreateTokenizer(metadata.Vocabulary), metadata.ChatTemplate, SamplingDefaults.None);
    }

    public override void AppendIdentity(IncrementalHash hash)
    {
        ArgumentNullException.ThrowIfNull(hash);
        foreach (GgufFile part in _parts)
        {
            hash.AppendData(part.DirectoryBytes);
            hash.AppendData(BitConverter.GetBytes(part.Length));
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Array.ForEach(_parts, part => part.Dispose());
        }
    }

    private void Add(GgufFile file)
    {
        foreach (GgufTensor tensor in file.Tensors)
        {
            long[] shape = [.. tensor.Dimensions];
            Array.Reverse(shape);
            _tensors.Add(
                tensor.Name,
                new ModelTensor(tensor.Name, tensor.Type, shape, file.Address(tensor), tensor.ByteCount, file.Path, tensor.DirectoryOffset));
        }
    }

    private ITokenizer CreateTokenizer(GgufVocabulary vocabulary)
    {
        try
        {
            return GgufTokenizer.Create(vocabulary);
        }
        catch (TokenizerFormatException exception)
        {
            throw new ModelFormatException(Path, null, "the tokenizer", $"cannot be used: {exception.Message.TrimEnd('.')}");
        }
    }
}
