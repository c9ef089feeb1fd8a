using Serving.Contracts.Cluster;
using Serving.Policies.Placement;

namespace Serving.Policies.Tests;

public sealed class PhasePlacementPolicyTests
{
    private static readonly PlacementRequest _request = new("m", PromptTokensEstimate: 100);

    private readonly PhasePlacementPolicy _policy = new();

    [Fact]
    public void Joins_the_prefill_queue_with_the_fewest_pending_prompt_tokens()
    {
        var cluster = Cluster(Decode("d1"), Prefill("p1", pendingPromptTokens: 900), Prefill("p2", pendingPromptTokens: 300), Prefill("p3", pendingPromptTokens: 500));

        Assert.Equal("p2", _policy.Place(cluster, _request)!.Prefill!.Id);
    }

    [Fact]
    public void A_prompt_without_an_answer_joins_the_same_queue_and_needs_no_decode_worker()
    {
        var cluster = Cluster(Prefill("p1", pendingPromptTokens: 250), Prefill("p2"));

        var workers = Enumerable.Range(0, 4).Select(_ => _policy.PlacePrompt(cluster, _request)!.Id).ToArray();

        Assert.Equal(["p2", "p2", "p2"], workers[..3]);
        Assert.Equal("p1", workers[3]);
        Assert.Equal("p1", _policy.PlacePrompt(cluster, _request with { ExcludedWorkers = ["p2"] })!.Id);
    }

    [Fact]
    public void A_prompt_without_an_answer_goes_to_a_decode_worker_where_no_other_serves_the_model()
    {
        Assert.Equal("d1", _policy.PlacePrompt(Cluster(Decode("d1")), _request)!.Id);
        Assert.Null(_policy.PlacePrompt(Cluster(Decode("d1")), _request with { Model = "other" }));
    }

    [Fact]
    public void Decodes_where_the_kv_cache_is_emptiest_in_proportion()
    {
        var cluster = Cluster(Decode("d1", kvUsed: 30, kvTotal: 100), Decode("d2", kvUsed: 40, kvTotal: 1000), Prefill("p1"));

        Assert.Equal("d2", _policy.Place(cluster, _request)!.Decode.Id);
    }

    [Fact]
    public void Decodes_where_fewest_sequences_are_among_equally_full_caches()
    {
        var cluster = Cluster(Decode("d1", running: 3), Decode("d2", running: 1), Decode("d3", running: 2), Prefill("p1"));

        Assert.Equal("d2", _policy.Place(cluster, _request)!.Decode.Id);
    }

    [Fact]
    public void Equal_workers_take_turns()
    {
        var cluster = Cluster(Decode("d1"), Decode("d2"), Decode("d3"), Prefill("p1"), Prefill("p2"), Prefill("p3"));

        var placements = Enumerable.Range(0, 30).Select(_ => _policy.Place(cluster, _request)!).ToArray();

        Assert.All(placements.CountBy(placement => placement.Decode.Id), count => Assert.Equal(10, count.Value));
        Assert.All(placements.CountBy(placement => placement.Prefill!.Id), count => Assert.Equal(10, count.Value));
    }

    [Fact]
    public void A_burst_between_two_load_reports_does_not_all_join_one_queue()
    {
        var cluster = Cluster(Decode("d1"), Prefill("p1", pendingPromptTokens: 450), Prefill("p2"));

        var prefills = Enumerable.Range(0, 9).Select(_ => _policy.Place(cluster, _request)!.Prefill!.Id).ToArray();

        Assert.Equal(["p2", "p2", "p2", "p2", "p2"], prefills[..5]);
        Assert.Equal(2, prefills[5..].Count(id => id == "p1"));
    }

    [Fact]
    public void A_new_report_replaces_what_was_placed_since_the_last()
    {
        var before = Cluster(Decode("d1"), Prefill("p1", pendingPromptTokens: 50), Prefill("p2"));
        Assert.Equal("p2", _policy.Place(before, _request)!.Prefill!.Id);

        var after = Cluster(Decode("d1"), Prefill("p1", pendingPromptTokens: 50), Prefill("p2", pendingPromptTokens: 10));

        Assert.Equal("p2", _policy.Place(after, _request)!.Prefill!.Id);
    }

    [Fact]
    public void Pairs_only_workers_with_the_same_kv_fingerprint()
    {
        var cluster = Cluster(Decode("d1", fingerprint: "new"), Prefill("p1", fingerprint: "old"), Prefill("p2", pendingPromptTokens: 9999, fingerprint: "new"));

        Assert.Equal("p2", _policy.Place(cluster, _request)!.Prefill!.Id);
    }

    [Fact]
    public void Prefers_a_decode_worker_that_has_a_partner_over_an_idle_one_that_has_none()
    {
        var cluster = Cluster(Decode("d1", fingerprint: "new"), Decode("d2", kvUsed: 90, fingerprint: "old"), Prefill("p1", fingerprint: "old"));

        var placement = _policy.Place(cluster, _request)!;

        Assert.Equal(("d2", "p1"), (placement.Decode.Id, placement.Prefill!.Id));
    }

    [Fact]
    public void Without_a_prefill_worker_the_decode_worker_computes_the_prompt()
    {
        var placement = _policy.Place(Cluster(Decode("d1")), _request)!;

        Assert.Equal("d1", placement.Decode.Id);
        Assert.Null(placement.Prefill);
    }

    [Fact]
    public void Places_nothing_where_no_worker_decodes_the_model()
    {
        Assert.Null(_policy.Place(ClusterSnapshot.Empty, _request));
        Assert.Null(_policy.Place(Cluster(Prefill("p1")), _request));
        Assert.Null(_policy.Place(Cluster(Decode("d1"), Prefill("p1")), _request with { Model = "other" }));
    }

    [Fact]
    public void Passes_over_draining_and_excluded_workers()
    {
        var cluster = Cluster(Draining(Decode("d1")), Decode("d2"), Decode("d3", kvUsed: 90), Draining(Prefill("p1")), Prefill("p2"));

        var placement = _policy.Place(cluster, _request with { ExcludedWorkers = ["d2", "p2"] })!;

        Assert.Equal("d3", placement.Decode.Id);
        Assert.Null(placement.Prefill);
    }

    [Fact]
    public void Pins_choose_workers_whatever_their_load()
    {
        var cluster = Cluster(Decode("d1"), Decode("d2", kvUsed: 90), Prefill("p1"), Prefill("p2", pendingPromptTokens: 9999));

        var placement = _policy.Place(cluster, _request with { DecodeWorkerPinned = "d2", PrefillWorkerPinned = "p2" })!;

        Assert.Equal(("d2", "p2"), (placement.Decode.Id, placement.Prefill!.Id));
    }

    [Fact]
    public void Takes_workers_that_have_not_reported_for_idle()
    {
        var silent = Decode("d1") with { Load = null };

        Assert.Equal("d1", _policy.Place(Cluster(Decode("d2", kvUsed: 1), silent), _request)!.Decode.Id);
    }

    private static ClusterSnapshot Cluster(params WorkerEntry[] workers) => new(workers);

    private static WorkerEntry Decode(string id, int kvUsed = 0, int kvTotal = 100, int running = 0, string fingerprint = "kv") =>
        Worker(id, WorkerRole.Decode, fingerprint, new WorkerLoad(id, running, 0, 0, kvUsed, kvTotal));

    private static WorkerEntry Prefill(string id, long pendingPromptTokens = 0, string fingerprint = "kv") =>
        Worker(id, WorkerRole.Prefill, fingerprint, new WorkerLoad(id, 0, 0, pendingPromptTokens, 0, 100));

    private static WorkerEntry Draining(WorkerEntry worker) => worker with { Registration = worker.Registration with { Draining = true } };

    private static WorkerEntry Worker(string id, WorkerRole role, string fingerprint, WorkerLoad load) => new(
        new WorkerRegistration(
            id, role, $"http://{id}", [new ServedModel("m", fingerprint, 2048, DateTimeOffset.UnixEpoch, "us")], 1, DateTimeOffset.UnixEpoch, Draining: false),
        load);
}
