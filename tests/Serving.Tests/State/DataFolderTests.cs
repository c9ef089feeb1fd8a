using Serving.Cli.State;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Serving.Tests.State;

public sealed class DataFolderTests
{
    [Fact]
    public void Is_its_owner_s_alone()
    {
        using var root = new TemporaryFolder();
        using var folder = DataFolder.Open(root.File("data"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder.Root));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.SecretFile));
    }

    [Fact]
    public void Belongs_to_one_platform_at_a_time()
    {
        using var root = new TemporaryFolder();
        using (var folder = DataFolder.Open(root.File("data")))
        {
            folder.Announce(new RunningPlatform(42, "http://127.0.0.1:8080", "127.0.0.1:7"));
            var e = Assert.Throws<StartupException>(() => DataFolder.Open(root.File("data")));
            Assert.Contains("pid 42, http://127.0.0.1:8080", e.Message);
            Assert.Contains("--data", e.Message);
        }

        using var next = DataFolder.Open(root.File("data"));
        Assert.False(File.Exists(Path.Combine(next.Root, "running.json")));
    }

    [Fact]
    public void Keeps_its_secret()
    {
        using var root = new TemporaryFolder();
        string token;
        using (var folder = DataFolder.Open(root.File("data")))
        {
            token = folder.ReadSecret().HttpToken;
        }

        using var again = DataFolder.Open(root.File("data"));
        Assert.Equal(token, again.ReadSecret().HttpToken);
    }

    [Fact]
    public void A_file_in_its_place_is_refused()
    {
        using var root = new TemporaryFolder();
        var e = Assert.Throws<StartupException>(() => DataFolder.Open(root.Touch("data")));
        Assert.Contains("--data", e.Message);
    }
}
