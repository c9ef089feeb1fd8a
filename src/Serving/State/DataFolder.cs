using System.Text.Json;
using Serving.ServiceDefaults.Hosting;
using Serving.ServiceDefaults.Security;

namespace Serving.Cli.State;

/// <summary>The one folder that a platform writes to, held by one platform at a time.</summary>
internal sealed class DataFolder : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly FileStream _lock;

    private DataFolder(string path, FileStream @lock)
    {
        Root = path;
        _lock = @lock;
    }

    public string Root { get; }

    public string SecretFile => Path.Combine(Root, "cluster.secret");

    public string ApiKeyFile => Path.Combine(Root, "api.key");

    /// <summary>The key that the command line gave, beside the one that the folder keeps.</summary>
    public string GivenApiKeyFile => Path.Combine(Root, "given-api.key");

    public string Redis => Path.Combine(Root, "redis");

    /// <summary>Packed weights, which any platform may delete and make again.</summary>
    public string Weights => Path.Combine(Root, "weights");

    /// <summary>Contents of files and stored answers.</summary>
    public string Stored => Path.Combine(Root, "stored");

    public string Logs => Path.Combine(Root, "logs");

    private string RunningFile => Path.Combine(Root, "running.json");

    /// <summary>Makes the folder if it is missing, and takes it.</summary>
    /// <exception cref="StartupException">Another platform has it, or it cannot be written to.</exception>
    public static DataFolder Open(string path)
    {
        var root = Path.GetFullPath(path);
        try
        {
            CreateOwnerOnly(root);
            var folder = new DataFolder(root, OpenLock(root));
            CreateOwnerOnly(folder.Redis);
            CreateOwnerOnly(folder.Logs);
            ClusterSecret.CreateFile(folder.SecretFile);
            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"The data folder {root} cannot be used: {e.Message} Choose another one with --data.", e);
        }
    }

    public ClusterSecret ReadSecret() => ClusterSecret.Read(SecretFile);

    /// <summary>Tells other commands, and a second platform that is refused, what runs here.</summary>
    public void Announce(RunningPlatform platform) =>
        File.WriteAllText(RunningFile, JsonSerializer.Serialize(platform, StateJson.Default.RunningPlatform) + "\n");

    public void Dispose()
    {
        File.Delete(RunningFile);
        _lock.Dispose();
    }

    /// <summary>What runs on a data folder now; null: nothing does.</summary>
    public static RunningPlatform? Running(string path)
    {
        var root = Path.GetFullPath(path);
        if (RunningPlatform.TryRead(Path.Combine(root, "running.json")) is not { } running)
        {
            return null;
        }

        try
        {
            // A platform that was killed leaves the file behind, but not the lock.
            using var _ = new FileStream(Path.Combine(root, "lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return null;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (IOException)
        {
            return running;
        }
    }

    private static FileStream OpenLock(string root)
    {
        var path = Path.Combine(root, "lock");
        try
        {
            // The system gives the lock back however the process ends; the file itself stays.
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(path))
        {
            var running = RunningPlatform.TryRead(Path.Combine(root, "running.json"));
            var who = running is null ? "Another platform" : $"A platform (pid {running.Pid}, {running.Url})";
            throw new StartupException($"{who} uses the data folder {root}: stop it, or choose another folder with --data.", e);
        }
    }

    /// <summary>Makes a folder, and those above it, for nobody but their owner; one that exists stays as it is.</summary>
    internal static void CreateOwnerOnly(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, OwnerOnly);
        }
    }
}
