using System.Net;
using Serving.Cli.Machine;
using Serving.Cli.State;
using Serving.Cli.Supervision;
using Serving.Cli.Up;
using Serving.Engine.KvCache;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Serving.Tests.Up;

public sealed class PlatformPlanTests
{
    [Fact]
    public void Each_process_is_told_its_part()
    {
        using var root = new TemporaryFolder();
        using var folder = DataFolder.Open(root.File("data"));
        var settings = Settings with { CorsOrigins = ["https://a.example", "https://b.example"], Compute = "fp32", KvType = KvDataType.Int8, ModelAliases = [new ModelAlias("gpt-4o-mini", "x")] };
        var plan = HostPlan.Create(settings, folder, Locator(root), "127.0.0.1:7", "/keys");

        Assert.Equal(["gateway", "prefill-worker", "decode-worker", "control"], plan.All.Select(spec => spec.Name));
        Assert.All(plan.All, spec =>
        {
            Assert.Equal("127.0.0.1:7", spec.Environment["Cluster__Redis"]);
            Assert.Equal("true", spec.Environment["Cluster__RedisPasswordFromSecret"]);
            Assert.Equal(folder.SecretFile, spec.Environment["Cluster__SecretFile"]);
            Assert.Equal("true", spec.Environment["Cluster__StopWithParent"]);
            Assert.Equal(folder.Root, spec.WorkingDirectory);
        });
        Assert.Equal("http://127.0.0.1:8080", plan.Gateway.Environment["Gateway__Listen"]);
        Assert.Equal("/keys", plan.Gateway.Environment["Gateway__ApiKeyFile"]);
        Assert.Equal(Path.Combine(folder.Root, "stored"), plan.Gateway.Environment["Storage__Folder"]);
        Assert.Equal("https://b.example", plan.Gateway.Environment["Gateway__CorsOrigins__1"]);
        Assert.Equal("/m/x.gguf", plan.DecodeWorker.Environment["Worker__Models__0__Path"]);
        Assert.Equal("x", plan.DecodeWorker.Environment["Worker__Models__0__Name"]);
        Assert.Equal("/m/y", plan.PrefillWorker.Environment["Worker__Models__1__Path"]);
        Assert.Equal("x", plan.Gateway.Environment["Gateway__ModelAliases__gpt-4o-mini"]);
        Assert.Equal(("2", "3"), (plan.PrefillWorker.Environment["Worker__Threads"], plan.DecodeWorker.Environment["Worker__Threads"]));
        Assert.Equal("fp32", plan.PrefillWorker.Environment["Worker__Compute"]);
        Assert.Equal(("Int8", "Int8"), (plan.PrefillWorker.Environment["Worker__KvType"], plan.DecodeWorker.Environment["Worker__KvType"]));
        Assert.Equal("true", plan.DecodeWorker.Environment["Worker__PrefixCache"]);
        Assert.Equal(Path.Combine(folder.Root, "weights"), plan.DecodeWorker.Environment["Worker__WeightCache"]);
        Assert.DoesNotContain("Worker__Threads", plan.Control.Environment.Keys);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/elsewhere")]
    public void Packed_weights_lie_where_the_operator_wants_them(string weightCache)
    {
        using var root = new TemporaryFolder();
        using var folder = DataFolder.Open(root.File("data"));
        var plan = HostPlan.Create(Settings with { WeightCache = weightCache }, folder, Locator(root), "127.0.0.1:7", apiKeyFile: null);

        Assert.Equal((weightCache, weightCache), (plan.PrefillWorker.Environment["Worker__WeightCache"], plan.DecodeWorker.Environment["Worker__WeightCache"]));
    }

    [Fact]
    public void An_ordered_stop_is_bounded_by_ten_seconds()
    {
        using var root = new TemporaryFolder();
        using var folder = DataFolder.Open(root.File("data"));
        var plan = HostPlan.Create(Settings, folder, Locator(root), "127.0.0.1:7", apiKeyFile: null);
        // The workers stop together.
        var total = plan.Gateway.StopTimeMax + plan.DecodeWorker.StopTimeMax + plan.Control.StopTimeMax;
        Assert.True(total < TimeSpan.FromSeconds(10));
        Assert.Equal(plan.PrefillWorker.StopTimeMax, plan.DecodeWorker.StopTimeMax);
    }

    [Fact]
    public void A_redis_of_the_user_keeps_its_own_password()
    {
        using var root = new TemporaryFolder();
        using var folder = DataFolder.Open(root.File("data"));
        var plan = HostPlan.Create(Settings with { Redis = "r:1,password=p" }, folder, Locator(root), "r:1,password=p", apiKeyFile: null);
        Assert.Equal("false", plan.Control.Environment["Cluster__RedisPasswordFromSecret"]);
    }

    [Fact]
    public void Loopback_needs_no_key_and_any_other_address_makes_one_once()
    {
        using var root = new TemporaryFolder();
        using var folder = DataFolder.Open(root.File("data"));
        Assert.Null(ApiKey.Prepare(Settings, folder).File);
        Assert.Null(ApiKey.Prepare(Settings with { Host = IPAddress.IPv6Loopback }, folder).File);

        var open = Settings with { Host = IPAddress.Any };
        var made = ApiKey.Prepare(open, folder);
        Assert.Equal(made.NewKey + "\n", File.ReadAllText(made.File!));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(made.File!));
        Assert.Equal(made with { NewKey = null }, ApiKey.Prepare(open, folder));
    }

    [Fact]
    public void A_given_key_leaves_the_kept_one_alone()
    {
        using var root = new TemporaryFolder();
        using var folder = DataFolder.Open(root.File("data"));
        var kept = ApiKey.Prepare(Settings with { Host = IPAddress.Any }, folder);
        var given = ApiKey.Prepare(Settings with { ApiKey = "sk-given-0123456789" }, folder);
        Assert.Equal("sk-given-0123456789\n", File.ReadAllText(given.File!));
        Assert.NotEqual(kept.File, given.File);
        ApiKey.Prepare(Settings with { ApiKey = "sk-other-0123456789" }, folder);
        Assert.Equal("sk-other-0123456789\n", File.ReadAllText(given.File!));
    }

    [Fact]
    public void The_example_survives_a_shell()
    {
        var line = CurlExample.For(new Uri("http://127.0.0.1:8080"), new ModelFile("it's", "x.gguf"), "/data of me/api.key");
        Assert.Contains("http://127.0.0.1:8080/v1/chat/completions", line);
        Assert.Contains("$(cat '/data of me/api.key')", line);
        Assert.DoesNotContain('\n', line);
        Assert.Contains("/v1/embeddings", CurlExample.For(new Uri("http://127.0.0.1:8080"), new ModelFile("mini", "x.onnx"), apiKeyFile: null));
    }

    [Fact]
    public void An_address_for_everyone_is_reached_on_loopback()
    {
        Assert.Equal("http://127.0.0.1:8080/", (Settings with { Host = IPAddress.Any }).LocalUrl.ToString());
        Assert.Equal("http://[::1]:8080/", (Settings with { Host = IPAddress.IPv6Any }).LocalUrl.ToString());
    }

    private static PlatformSettings Settings { get; } = new()
    {
        Models = [new ModelFile("x", "/m/x.gguf"), new ModelFile("y", "/m/y")],
        Prefill = new WorkerShare(2, 1L << 30),
        Decode = new WorkerShare(3, 1L << 30),
    };

    private static HostLocator Locator(TemporaryFolder root)
    {
        foreach (var project in new[] { "Gateway", "PrefillWorker", "DecodeWorker", "Control" })
        {
            root.Touch($"bin/Serving.{project}.dll");
        }

        return new HostLocator(root.File("bin"));
    }
}
