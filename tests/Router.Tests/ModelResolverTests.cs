using CsCheck;
using Serving.Contracts.Cluster;
using Serving.Router.Catalog;

namespace Serving.Router.Tests;

public sealed class ModelResolverTests
{
    private static readonly ModelResolver _resolver = new(new Dictionary<string, string> { ["gpt-4o"] = "smollm2-135m-instruct", ["dead"] = "gone" });
    private static readonly ModelCatalog _catalog = ModelCatalog.Of([Model("smollm2-135m-instruct"), Model("qwen3-0.6b")]);

    [Theory]
    [InlineData("smollm2-135m-instruct")]
    [InlineData("gpt-4o")]
    public void Resolves_names_and_aliases(string name) => Assert.Equal("smollm2-135m-instruct", _resolver.Resolve(_catalog, name).Model!.Name);

    [Theory]
    [InlineData("smollm2-135m-instruc", "smollm2-135m-instruct")]
    [InlineData("SmolLM2-135M-Instruct", "smollm2-135m-instruct")]
    [InlineData("smollm2", "smollm2-135m-instruct")]
    [InlineData("qwen3-0.6", "qwen3-0.6b")]
    [InlineData("gpt-4", "gpt-4o")]
    public void Suggests_the_nearest_name(string name, string suggestion)
    {
        var resolution = _resolver.Resolve(_catalog, name);

        Assert.Null(resolution.Model);
        Assert.Equal(suggestion, resolution.Suggestion);
    }

    [Theory]
    [InlineData("claude-opus-4")]
    [InlineData("")]
    [InlineData("dead")]
    [InlineData("dea")]
    public void Suggests_nothing_that_is_not_near_or_not_served(string name) => Assert.Equal(default, _resolver.Resolve(_catalog, name));

    [Fact]
    public void Suggests_nothing_for_a_name_too_long_to_be_meant() => Assert.Null(_resolver.Resolve(_catalog, new string('m', 4096)).Suggestion);

    [Fact]
    public void The_catalogue_holds_each_model_once_with_its_newest_file_and_no_draining_worker()
    {
        var catalog = ModelCatalog.Of(new ClusterSnapshot(
        [
            Worker("b", draining: false, Model("m", day: 1), Model("z", day: 1)),
            Worker("c", draining: false, Model("m", day: 2)),
            Worker("d", draining: true, Model("m", day: 3), Model("drained")),
        ]));

        Assert.Equal(["m", "z"], catalog.Models.Select(model => model.Name));
        Assert.Equal(2, catalog.Find("m")!.CreatedAt.Day);
        Assert.Null(catalog.Find("drained"));
    }

    [Fact]
    public void The_distance_between_names_is_a_metric() => Gen.Select(Gen.String[Gen.Char["abc"], 0, 8], Gen.String[Gen.Char["abc"], 0, 8], Gen.String[Gen.Char["abc"], 0, 8])
        .Sample((a, b, c) =>
        {
            Assert.Equal(NameDistance.Between(a, b), NameDistance.Between(b, a));
            Assert.Equal(a == b, NameDistance.Between(a, b) == 0);
            Assert.True(NameDistance.Between(a, c) <= NameDistance.Between(a, b) + NameDistance.Between(b, c));
        });

    [Fact]
    public void The_distance_counts_edits() => Assert.Equal(3, NameDistance.Between("kitten", "sitting"));

    private static ServedModel Model(string name, int day = 1) => new(name, "kv", 2048, new DateTimeOffset(2026, 1, day, 0, 0, 0, TimeSpan.Zero), "us");

    private static WorkerEntry Worker(string id, bool draining, params ServedModel[] models) =>
        new(new WorkerRegistration(id, WorkerRole.Decode, "http://x", models, 1, DateTimeOffset.UnixEpoch, draining), null);
}
