using System.Text;
using Serving.Cli.Hub;
using Serving.Cli.Models;
using Serving.TestKit.Hub;

namespace Serving.Serving.Tests.Hub;

public sealed class ModelPullTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _root = new();
    private StandInHub _hub = null!;

    public async ValueTask InitializeAsync() => _hub = await StandInHub.StartAsync("acme/tiny");

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        Dispose();
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public async Task A_hugging_face_folder_comes_without_pickles_and_over_several_pages()
    {
        AddFolder();
        var pulled = await PullAsync("acme/tiny");

        Assert.Equal(("tiny", true), (pulled.Name, pulled.IsNew));
        string[] expected = ["config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json", "serving-model.json", "tokenizer.json"];
        Assert.Equal(expected, Directory.GetFiles(pulled.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(_hub.Files["model-00002-of-00002.safetensors"], File.ReadAllBytes(Path.Combine(pulled.Path, "model-00002-of-00002.safetensors")));
        Assert.Equal(("hugging-face", "acme/tiny@aaaaaaaa"), Store.Find("tiny") is { } model ? (model.Format, model.Origin) : default);
    }

    [Fact]
    public async Task A_complete_model_is_not_fetched_again()
    {
        AddFolder();
        await PullAsync("acme/tiny");
        var before = _hub.CdnRequests.Count;
        var again = await PullAsync("acme/tiny");
        Assert.False(again.IsNew);
        Assert.Equal(before, _hub.CdnRequests.Count);
    }

    [Fact]
    public async Task A_new_commit_replaces_the_model()
    {
        AddFolder();
        await PullAsync("acme/tiny");
        _hub.Commit = new string('c', 40);
        _hub.Files["config.json"] = "{\"new\":1}"u8.ToArray();
        var pulled = await PullAsync("acme/tiny");
        Assert.True(pulled.IsNew);
        Assert.Equal("{\"new\":1}", File.ReadAllText(Path.Combine(pulled.Path, "config.json")));
        Assert.Equal(_hub.Commit, ModelManifest.TryRead(pulled.Path)!.Commit);
    }

    [Theory]
    [InlineData("Q4_K", "tiny-Q4_K")]
    [InlineData("q4_k_m", "tiny-Q4_K_M")]
    [InlineData("tiny-Q8_0.gguf", "tiny-Q8_0")]
    [InlineData("*Q8*", "tiny-Q8_0")]
    [InlineData("F16", "tiny-F16")]
    [InlineData("big/tiny-F16-00002-of-00002.gguf", "tiny-F16")]
    public async Task One_gguf_is_chosen_by_name_pattern_or_quantisation(string wanted, string name)
    {
        AddGguf();
        var pulled = await PullAsync("acme/tiny:" + wanted);
        Assert.Equal(name, pulled.Name);
        Assert.Equal(name == "tiny-F16" ? 2 : 1, Directory.GetFiles(pulled.Path, "*.gguf").Length);
        Assert.Equal("gguf", Store.Find(name)!.Format);
    }

    [Theory]
    [InlineData("acme/tiny", "has 4 GGUF models: choose one")]
    [InlineData("acme/tiny:Q2_K", "no GGUF file that 'Q2_K' names")]
    [InlineData("acme/tiny:*Q*", "names 3 GGUF models")]
    public async Task An_open_choice_lists_files_and_sizes(string model, string expected)
    {
        AddGguf();
        var e = await Assert.ThrowsAsync<ModelException>(() => PullAsync(model));
        Assert.Contains(expected, e.Message);
        Assert.Contains("3000 bytes  tiny-Q8_0.gguf", e.Message);
        Assert.DoesNotContain("mmproj", e.Message);
        Assert.Empty(_hub.CdnRequests);
    }

    [Fact]
    public async Task A_pickle_is_named_and_refused()
    {
        _hub.Files["config.json"] = [1];
        _hub.Files["pytorch_model.bin"] = [1];
        Assert.Contains("pytorch_model.bin may run code", (await Assert.ThrowsAsync<ModelException>(() => PullAsync("acme/tiny"))).Message);
    }

    [Fact]
    public async Task A_cut_is_mended_within_the_pull_by_a_range()
    {
        _hub.Files["tiny.gguf"] = Bytes(300_000);
        (_hub.CutAfter, _hub.CutsLeft) = (100_000, 2);
        var pulled = await PullAsync("acme/tiny");
        Assert.Equal(_hub.Files["tiny.gguf"], File.ReadAllBytes(Path.Combine(pulled.Path, "tiny.gguf")));
        var ranges = _hub.CdnRequests.Select(request => request.Range).ToArray();
        Assert.Equal(["", "bytes=100000-", "bytes=200000-"], ranges);
    }

    [Fact]
    public async Task A_pull_that_gave_up_goes_on_where_it_ended()
    {
        _hub.Files["tiny.gguf"] = Bytes(300_000);
        (_hub.CutAfter, _hub.CutsLeft) = (100_000, 1);
        _hub.RetryAfter = "1000";
        using var stop = new CancellationTokenSource();
        var progress = new Recorder { OnAdvance = total => { if (total >= 100_000) { stop.Cancel(); } } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PullAsync("acme/tiny", progress, stop: stop.Token));
        Assert.DoesNotContain(Store.List(), model => model.Name == "tiny");

        await PullAsync("acme/tiny");
        Assert.Equal("bytes=100000-", _hub.CdnRequests.Last().Range);
        Assert.Equal(_hub.Files["tiny.gguf"], File.ReadAllBytes(Path.Combine(Store.FolderOf("tiny"), "tiny.gguf")));
    }

    [Fact]
    public async Task A_part_of_other_content_is_not_joined()
    {
        _hub.Files["tiny.gguf"] = Bytes(300_000);
        (_hub.CutAfter, _hub.CutsLeft) = (100_000, int.MaxValue);
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PullAsync("acme/tiny", new Recorder { OnAdvance = _ => stop.Cancel() }, stop: stop.Token));
        _hub.Files["tiny.gguf"] = Bytes(300_001);
        (_hub.CutAfter, _hub.Commit) = (null, new string('d', 40));
        var pulled = await PullAsync("acme/tiny");
        Assert.Equal("", _hub.CdnRequests.Last().Range);
        Assert.Equal(_hub.Files["tiny.gguf"], File.ReadAllBytes(Path.Combine(pulled.Path, "tiny.gguf")));
    }

    [Fact]
    public async Task A_server_that_knows_no_ranges_is_read_past_what_is_here()
    {
        _hub.Files["tiny.gguf"] = Bytes(300_000);
        (_hub.CutAfter, _hub.CutsLeft, _hub.IgnoresRanges) = (100_000, 1, true);
        var pulled = await PullAsync("acme/tiny");
        Assert.Equal(_hub.Files["tiny.gguf"], File.ReadAllBytes(Path.Combine(pulled.Path, "tiny.gguf")));
    }

    [Fact]
    public async Task Cuts_without_progress_end_the_pull()
    {
        _hub.Files["tiny.gguf"] = Bytes(300_000);
        _hub.CutAfter = 0;
        await Assert.ThrowsAsync<ModelException>(() => PullAsync("acme/tiny"));
        Assert.Equal(Options.FruitlessTriesMax, _hub.CdnRequests.Count);
    }

    [Theory]
    [InlineData("tiny.gguf", "sha256")]
    [InlineData("config.json", "git hash")]
    public async Task A_wrong_hash_is_an_error_and_the_file_is_deleted(string file, string expected)
    {
        AddFolder();
        _hub.Files["tiny.gguf"] = Bytes(1000);
        _hub.WrongHash.Add(file);
        var e = await Assert.ThrowsAsync<ModelException>(() => PullAsync(file == "tiny.gguf" ? "acme/tiny:tiny.gguf" : "acme/tiny"));
        Assert.Contains($"{file}: what arrived is not the file: its {expected} is", e.Message);
        Assert.DoesNotContain(Store.List(), model => model.Name == "tiny");
        if (file == "tiny.gguf")
        {
            Assert.Empty(Directory.GetFiles(Path.Combine(Store.Root, ".pulling", "tiny")));
        }
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_and_never_to_the_cdn()
    {
        AddFolder();
        _hub.Token = "hf_secret";
        await PullAsync("acme/tiny", options: Options with { Token = "hf_secret" });
        Assert.NotEmpty(_hub.CdnRequests);
        Assert.All(_hub.CdnRequests, request => Assert.Equal("", request.Authorization));
    }

    [Theory]
    [InlineData(null, "set HF_TOKEN to a token that may read it")]
    [InlineData("hf_other_secret", "The hub refuses the token in HF_TOKEN")]
    public async Task A_refused_token_is_explained_and_not_shown(string? token, string expected)
    {
        AddFolder();
        _hub.Token = "hf_secret";
        var e = await Assert.ThrowsAsync<ModelException>(() => PullAsync("acme/tiny", options: Options with { Token = token }));
        Assert.Contains(expected, e.Message);
        Assert.DoesNotContain("hf_other", e.ToString());
        Assert.Equal(1, _hub.HubRequests);
    }

    [Fact]
    public async Task A_gated_model_says_where_to_accept_its_terms()
    {
        AddFolder();
        _hub.IsGated = true;
        Assert.Contains($"accept its terms at {_hub.Endpoint}acme/tiny", (await Assert.ThrowsAsync<ModelException>(() => PullAsync("acme/tiny"))).Message);
    }

    [Theory]
    [InlineData("acme/none", "main", "acme/none is not on 127.0.0.1")]
    [InlineData("acme/tiny", "v9", "has no revision 'v9'")]
    public async Task What_is_not_there_is_named(string model, string revision, string expected)
    {
        var e = await Assert.ThrowsAsync<ModelException>(() => PullAsync(model, revision: revision));
        Assert.Contains(expected, e.Message);
    }

    [Fact]
    public async Task Passing_failures_are_tried_again()
    {
        AddFolder();
        _hub.Failures.Enqueue(503);
        _hub.Failures.Enqueue(429);
        Assert.True((await PullAsync("acme/tiny")).IsNew);
    }

    [Fact]
    public async Task A_hub_that_asks_for_too_long_a_wait_is_not_waited_for()
    {
        _hub.Failures.Enqueue(429);
        _hub.RetryAfter = "3600";
        Assert.Contains("asks for fewer requests (429)", (await Assert.ThrowsAsync<ModelException>(() => PullAsync("acme/tiny"))).Message);
        Assert.Equal(1, _hub.HubRequests);
    }

    [Fact]
    public async Task A_server_that_stalls_counts_as_cut()
    {
        _hub.Files["tiny.gguf"] = Bytes(1000);
        var gate = new TaskCompletionSource();
        _hub.Gate = gate.Task;
        var e = await Assert.ThrowsAsync<ModelException>(() => PullAsync("acme/tiny", options: Options with { StallTimeMax = TimeSpan.FromSeconds(0.2), FruitlessTriesMax = 1 }));
        gate.SetResult();
        Assert.Contains("no answer within", e.Message);
    }

    [Theory]
    [InlineData("../evil.gguf")]
    [InlineData("/etc/evil.gguf")]
    [InlineData("a/../../evil.gguf")]
    [InlineData("a\\evil.gguf")]
    [InlineData(".evil.gguf")]
    [InlineData("e\u0001vil.gguf")]
    public async Task A_hostile_file_name_is_refused_before_anything_is_fetched(string name)
    {
        _hub.Files[name] = Bytes(10);
        Assert.Contains("is not written to this disk", (await Assert.ThrowsAsync<ModelException>(() => PullAsync("acme/tiny"))).Message);
        Assert.Empty(_hub.CdnRequests);
        Assert.False(Directory.Exists(Store.Root));
    }

    [Fact]
    public async Task A_full_disk_is_told_before_anything_is_fetched()
    {
        _hub.Files["tiny.gguf"] = Bytes(3 << 20);
        var e = await Assert.ThrowsAsync<ModelException>(() => PullAsync("acme/tiny", options: Options with { FreeSpace = _ => 1 << 20 }));
        Assert.Contains("3 MiB are to be fetched", e.Message);
        Assert.Contains("has 1 MiB free", e.Message);
        Assert.Empty(_hub.CdnRequests);
    }

    [Fact]
    public async Task Two_pulls_of_one_model_do_not_mix()
    {
        _hub.Files["tiny.gguf"] = Bytes(1000);
        var gate = new TaskCompletionSource();
        _hub.Gate = gate.Task;
        var begun = new TaskCompletionSource();
        var first = PullAsync("acme/tiny", new Recorder { OnBegin = () => begun.SetResult() });
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Contains("is under way", (await Assert.ThrowsAsync<ModelException>(() => PullAsync("acme/tiny"))).Message);
        gate.SetResult();
        Assert.True((await first).IsNew);
    }

    [Fact]
    public async Task A_name_that_another_model_has_is_not_taken()
    {
        _hub.Files["tiny.gguf"] = Bytes(1000);
        await ModelAdding.RunAsync(Store, _root.Touch("other/tiny.gguf"), null, copy: false, TimeProvider.System, default);
        Assert.Contains("give another name with --name", (await Assert.ThrowsAsync<ModelException>(() => PullAsync("acme/tiny"))).Message);
    }

    [Theory]
    [InlineData("tiny")]
    [InlineData("a/b/c")]
    [InlineData("../x")]
    [InlineData("a/..")]
    [InlineData("a/b:")]
    [InlineData("https://huggingface.co/a/b")]
    public void Only_owner_and_name_are_taken(string text) => Assert.Throws<ModelException>(() => ModelReference.Parse(text, "main"));

    [Fact]
    public void A_broken_token_is_refused_and_not_shown()
    {
        var e = Assert.Throws<ModelException>(() => HubOptions.FromEnvironment(name => name == "HF_TOKEN" ? "hf_sec\nret" : null));
        Assert.DoesNotContain("hf_sec", e.Message);
        Assert.Equal("hf_x", HubOptions.FromEnvironment(name => name == "HF_TOKEN" ? " hf_x\n" : null).Token);
    }

    private ModelStore Store => new(_root.File("data"), _root.Root);

    private HubOptions Options => new(_hub.Endpoint, null) { FirstDelay = TimeSpan.FromMilliseconds(1) };

    private async Task<PullResult> PullAsync(
        string model, IPullProgress? progress = null, HubOptions? options = null, string revision = "main", CancellationToken stop = default)
    {
        using var client = new HubClient(options ?? Options, TimeProvider.System);
        return await new ModelPull(client, Store, TimeProvider.System, progress ?? new Recorder()).RunAsync(ModelReference.Parse(model, revision), null, stop);
    }

    private void AddFolder()
    {
        foreach (var name in new[] { "config.json", "tokenizer.json", "model.safetensors.index.json", "README.md" })
        {
            _hub.Files[name] = Encoding.UTF8.GetBytes($"{{\"of\":\"{name}\"}}");
        }

        _hub.Files["model-00001-of-00002.safetensors"] = Bytes(5000);
        _hub.Files["model-00002-of-00002.safetensors"] = Bytes(6000);
        _hub.Files["consolidated.safetensors"] = Bytes(11_000);
        _hub.Files["pytorch_model.bin"] = Bytes(100);
    }

    private void AddGguf()
    {
        string[] names = ["tiny-Q4_K.gguf", "tiny-Q4_K_M.gguf", "tiny-Q8_0.gguf", "big/tiny-F16-00001-of-00002.gguf", "big/tiny-F16-00002-of-00002.gguf", "mmproj-tiny-F16.gguf"];
        for (var i = 0; i < names.Length; i++)
        {
            _hub.Files[names[i]] = Bytes(1000 * (i + 1));
        }
    }

    private static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    private sealed class Recorder : IPullProgress
    {
        private long _total;

        public Action OnBegin { get; init; } = () => { };

        public Action<long> OnAdvance { get; init; } = _ => { };

        public void Begin(IReadOnlyList<HubFile> files) => OnBegin();

        public void Advance(HubFile file, long bytes)
        {
            if (bytes > 0)
            {
                OnAdvance(Interlocked.Add(ref _total, bytes));
            }
        }

        public void Done(HubFile file)
        {
        }
    }
}
