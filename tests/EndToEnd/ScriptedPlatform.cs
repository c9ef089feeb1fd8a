namespace Serving.EndToEnd;

/// <summary>One platform that serves a scripted model for each form of tool calls, under the name of the family.</summary>
public sealed class ScriptedPlatform : IAsyncLifetime
{
    private readonly DirectoryInfo _models = Directory.CreateTempSubdirectory("serving-e2e-models-");
    private Platform? _platform;

    public Platform Platform => _platform ?? throw new InvalidOperationException("the platform has not started");

    public async ValueTask InitializeAsync()
    {
        List<string> arguments = [];
        foreach ((string name, Family family) in ToolFamilies.All)
        {
            string path = Path.Combine(_models.FullName, name + ".gguf");
            await File.WriteAllBytesAsync(path, family.ToModel());
            arguments.AddRange(["--model", $"{name}={path}"]);
        }

        _platform = await Platform.StartAsync([.. arguments]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_platform is not null)
        {
            await _platform.DisposeAsync();
        }

        _models.Delete(recursive: true);
    }
}
