using System.Security.Cryptography;
using Serving.ServiceDefaults.Hosting;
using Serving.ServiceDefaults.Security;

namespace Serving.ServiceDefaults.Tests;

public sealed class ClusterSecretTests
{
    [Fact]
    public void A_secret_file_is_readable_by_its_owner_only_and_nothing_else_is_left()
    {
        using var folder = new TemporaryFolder();
        Assert.True(ClusterSecret.CreateFile(folder.File("secret")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.File("secret")));
        Assert.Equal([folder.File("secret")], Directory.GetFiles(Path.GetDirectoryName(folder.File("secret"))!));
    }

    [Fact]
    public void An_existing_secret_stays()
    {
        using var folder = new TemporaryFolder();
        ClusterSecret.CreateFile(folder.File("secret"));
        var first = ClusterSecret.Read(folder.File("secret"));
        Assert.False(ClusterSecret.CreateFile(folder.File("secret")));
        Assert.Equal(first.HttpToken, ClusterSecret.Read(folder.File("secret")).HttpToken);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void Refuses_a_secret_that_others_may_use(UnixFileMode extra)
    {
        using var folder = new TemporaryFolder();
        ClusterSecret.CreateFile(folder.File("secret"));
        File.SetUnixFileMode(folder.File("secret"), UnixFileMode.UserRead | UnixFileMode.UserWrite | extra);
        Assert.Contains("chmod 600", Assert.Throws<StartupException>(() => ClusterSecret.Read(folder.File("secret"))).Message);
    }

    [Theory]
    [InlineData("not base64 at all!", "base64")]
    [InlineData("AAAA", "3 bytes")]
    public void Refuses_a_file_that_is_no_secret(string content, string complaint)
    {
        using var folder = new TemporaryFolder();
        Assert.True(PrivateFile.TryCreate(folder.File("secret"), content));
        Assert.Contains(complaint, Assert.Throws<StartupException>(() => ClusterSecret.Read(folder.File("secret"))).Message);
    }

    [Fact]
    public void A_missing_secret_is_named()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(folder.File("none"), Assert.Throws<StartupException>(() => ClusterSecret.Read(folder.File("none"))).Message);
    }

    [Fact]
    public void Each_use_has_its_own_key()
    {
        var secret = new ClusterSecret(RandomNumberGenerator.GetBytes(32));
        Assert.Equal(64, secret.HttpToken.Length);
        Assert.Equal(32, secret.KvKey.Length);
        string[] keys = [secret.HttpToken, Convert.ToHexStringLower(secret.KvKey), secret.RedisPassword];
        Assert.Equal(3, keys.Distinct().Count());
    }

    [Fact]
    public void The_same_secret_gives_the_same_keys()
    {
        // Fixed, so that hosts of different versions understand each other.
        var secret = new ClusterSecret(new byte[32]);
        Assert.Equal(Convert.ToHexStringLower(HKDF.DeriveKey(HashAlgorithmName.SHA256, new byte[32], 32, info: "serving/http/v1"u8.ToArray())), secret.HttpToken);
    }
}
