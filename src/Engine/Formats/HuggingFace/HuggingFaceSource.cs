using System.Security.Cryptography;

namespace Serving.Engine.Formats.HuggingFace;

/// <summary>A folder as Hugging Face hubs hold models.</summary>
public sealed class HuggingFaceSource : ModelSource
{
    private readonly HuggingFaceSettings _settings;

    private HuggingFaceSource(string path)
    {
        Path = path;
        _settings = new HuggingFaceSettings(JsonFields.Read(System.IO.Path.Combine(path, "config.json")));
    }

    public override string Path { get; }

    public override ModelFormat Format => ModelFormat.HuggingFace;

    public override ModelSettings Settings => _settings;

    public override IReadOnlyCollection<ModelTensor> Tensors => throw new NotSupportedException();

    public override long ByteCount => throw new NotSupportedException();

    public override DateTime LastWriteTimeUtc => throw new NotSupportedException();

    /// <summary>Whether a folder holds a model of this form.</summary>
    public static bool IsFolder(string path) => File.Exists(System.IO.Path.Combine(path, "config.json"));

    public static new HuggingFaceSource Open(string path) => new(path);

    public override ModelTensor? FindTensor(string name) => throw new NotSupportedException();

    public override ModelText ReadText() => throw new NotSupportedException();

    public override void AppendIdentity(IncrementalHash hash) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
    }
}
