using Serving.Cli.Machine;
using Serving.Cli.State;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Serving.Tests.State;

public sealed class RedisProbeTests
{
    [Theory]
    [InlineData("")]
    [InlineData(",password=wrong")]
    public async Task A_password_that_is_missing_or_wrong_is_told_as_such(string password)
    {
        using var folder = new TemporaryFolder();
        using var redis = EmbeddedRedis.Start(folder.File("redis"), "right", folder.File("redis.log"));
        Assert.Equal($"Redis at '{redis.EndPoint}' cannot be used: it asks for a password and was given none, or a wrong one. Name it as HOST:PORT,password=…", await RefusalAsync($"{redis.EndPoint}{password}"));
    }

    [Fact]
    public async Task Nobody_is_advised_to_set_properties_of_a_library()
    {
        var message = await RefusalAsync($"127.0.0.1:{FreePort.Find()},password=secret");
        Assert.Contains("nothing answers there as Redis does", message);
        Assert.DoesNotContain("secret", message);
        Assert.DoesNotContain("AbortOnConnectFail", message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1:6379,colour=red")]
    public async Task What_is_no_connection_is_told_with_an_example(string connection) =>
        Assert.Contains("that is no connection such as HOST:PORT,password=…", await RefusalAsync(connection));

    private static async Task<string> RefusalAsync(string connection) =>
        (await Assert.ThrowsAsync<StartupException>(() => RedisProbe.CheckAsync(connection))).Message;
}
