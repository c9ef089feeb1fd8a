using Serving.ServiceDefaults.Cluster;
using Serving.ServiceDefaults.Hosting;
using Serving.ServiceDefaults.Security;

namespace Serving.ServiceDefaults.Tests;

public sealed class RedisConnectionTests
{
    private static readonly ClusterSecret Secret = new(new byte[32]);

    [Fact]
    public void The_embedded_redis_is_opened_with_the_derived_password()
    {
        var options = new ClusterOptions { Redis = "127.0.0.1:1", RedisPasswordFromSecret = true };
        Assert.Equal(Secret.RedisPassword, RedisConnection.Configure(options, Secret, "serving-test").Password);
    }

    [Fact]
    public void A_given_connection_string_keeps_its_own_password_and_name()
    {
        var configuration = RedisConnection.Configure(new ClusterOptions { Redis = "redis.example:6380,password=p,name=n" }, Secret, "serving-test");
        Assert.Equal(("p", "n"), (configuration.Password, configuration.ClientName));
        Assert.False(configuration.AbortOnConnectFail);
    }

    [Fact]
    public void A_connection_string_that_is_none_is_a_mistake_of_the_operator() =>
        Assert.Throws<StartupException>(() => RedisConnection.Configure(new ClusterOptions { Redis = "host:1,nonsense=1" }, Secret, "serving-test"));

    [Theory]
    [InlineData("127.0.0.1", 80, "http://127.0.0.1:80")]
    [InlineData("::1", 80, "http://[::1]:80")]
    [InlineData("worker.example", 81, "http://worker.example:81")]
    public void Addresses_are_written_as_urls(string host, int port, string expected) => Assert.Equal(expected, InternalAddress.Format(host, port));
}
