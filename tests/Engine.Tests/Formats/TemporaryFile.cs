namespace Serving.Engine.Tests;

/// <summary>A file that goes away with the test.</summary>
internal sealed class TemporaryFile : IDisposable
{
    public TemporaryFile(byte[] bytes) => File.WriteAllBytes(Path, bytes);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"serving-{Guid.NewGuid():N}.gguf");

    public void Dispose() => File.Delete(Path);
}
