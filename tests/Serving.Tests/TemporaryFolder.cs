namespace Serving.Serving.Tests;

internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("serving-cli-");

    public string Root => _folder.FullName;

    public string File(string name) => Path.Combine(Root, name);

    /// <summary>Makes a file, and its folders.</summary>
    public string Touch(string name, string text = "")
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File(name))!);
        System.IO.File.WriteAllText(File(name), text);
        return File(name);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
