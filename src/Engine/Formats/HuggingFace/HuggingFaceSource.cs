using System.Security.Cryptography;
using Serving.Engine.Formats.Safetensors;

namespace Serving.Engine.Formats.HuggingFace;

/// <summary>A folder as Hugging Face hubs hold models: config.json, safetensors, tokenizer.json, chat template, generation_config.json.</summary>
public sealed class HuggingFaceSource : ModelSource
{
    private const string ConfigFile = "config.json";

    private readonly HuggingFaceSettings _settings;
    private readonly HuggingFaceWeights _weights;

    private HuggingFaceSource(string path)
    {
        Path = path;
        _settings = HuggingFaceSettings.Read(System.IO.Path.Combine(path, ConfigFile));
        _weights = HuggingFaceWeights.Open(path);
    }

    public override string Path { get; }

    public override ModelFormat Format => ModelFormat.HuggingFace;

    public override ModelSettings Settings => _settings;

    public override IReadOnlyCollection<ModelTensor> Tensors => _weights.Tensors;

    internal override IReadOnlyList<MappedFile> Files => _weights.Mappings;

    /// <summary>Whether a folder holds a model of this form.</summary>
    public static bool IsFolder(string path) => File.Exists(System.IO.Path.Combine(path, ConfigFile));

    /// <summary>Opens a folder.</summary>
    public static new HuggingFaceSource Open(string path) => new(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path)));

    public override ModelTensor? FindTensor(string name) => _weights.Find(name);

    public override ModelText ReadText() => HuggingFaceText.Read(Path, _settings);

    public override void AppendIdentity(IncrementalHash hash)
    {
        ArgumentNullException.ThrowIfNull(hash);
        hash.AppendData(File.ReadAllBytes(System.IO.Path.Combine(Path, ConfigFile)));
        foreach (SafetensorsFile file in _weights.Files)
        {
            hash.AppendData(file.DirectoryBytes);
            hash.AppendData(BitConverter.GetBytes(file.Length));
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _weights.Dispose();
        }
    }
}
