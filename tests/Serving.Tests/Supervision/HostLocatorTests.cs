using Serving.Cli.Supervision;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Serving.Tests.Supervision;

public sealed class HostLocatorTests
{
    [Fact]
    public void Finds_a_host_beside_the_command()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Touch("Serving.Gateway.dll");
        Assert.Equal([path], new HostLocator(folder.Root).Find("Gateway").Arguments);
    }

    [Fact]
    public void Finds_a_host_of_the_same_configuration_in_the_build()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Touch("bin/Gateway/release/Serving.Gateway.dll");
        folder.Touch("bin/Gateway/debug/Serving.Gateway.dll");
        Assert.Equal([path], new HostLocator(Path.Combine(folder.Root, "bin/Serving/release/")).Find("Gateway").Arguments);
    }

    [Fact]
    public void A_missing_host_is_named_with_the_places_that_were_searched()
    {
        using var folder = new TemporaryFolder();
        var e = Assert.Throws<StartupException>(() => new HostLocator(Path.Combine(folder.Root, "bin/Serving/release")).Find("Gateway"));
        Assert.Contains("bin/Serving/release/Serving.Gateway.dll", e.Message);
        Assert.Contains("bin/Gateway/release/Serving.Gateway.dll", e.Message);
    }
}
