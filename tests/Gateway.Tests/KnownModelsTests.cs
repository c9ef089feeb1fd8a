using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Serving.Gateway.Configuration;
using Serving.Gateway.Placement;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

public sealed class KnownModelsTests
{
    [Fact]
    public void A_model_whose_workers_have_gone_is_known_for_a_while_and_then_forgotten()
    {
        var time = new FakeTimeProvider();
        var cluster = new FakeClusterView();
        using var known = new KnownModels(cluster, time, Options.Create(new GatewayOptions { ModelMemorySecondsMax = 60 }));
        cluster.Add(Workers.Decode("decode-1", "http://x"));
        time.Advance(TimeSpan.FromHours(1));
        Assert.NotNull(known.Current.Find(Workers.Model));

        cluster.Remove("decode-1");
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.NotNull(known.Current.Find(Workers.Model));

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(known.Current.Find(Workers.Model));
    }

    [Fact]
    public void A_model_that_comes_back_in_time_is_never_forgotten()
    {
        var time = new FakeTimeProvider();
        var cluster = new FakeClusterView();
        using var known = new KnownModels(cluster, time, Options.Create(new GatewayOptions { ModelMemorySecondsMax = 60 }));
        cluster.Add(Workers.Decode("decode-1", "http://x"));
        cluster.Remove("decode-1");
        time.Advance(TimeSpan.FromSeconds(30));

        cluster.Add(Workers.Decode("decode-2", "http://x"));
        time.Advance(TimeSpan.FromHours(1));

        Assert.NotNull(known.Current.Find(Workers.Model));
    }
}
