namespace Serving.Engine.Tests;

/// <summary>A folder that goes away with the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() => Directory.CreateDirectory(Path);

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"serving-{Guid.NewGuid():N}");

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public TemporaryFolder Write(string name, byte[] bytes)
    {
        File.WriteAllBytes(this[name], bytes);
        return this;
    }

    public TemporaryFolder Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
