using System.Text.Json;
using Serving.Cli.Models;
using Serving.Cli.State;
using Serving.Serving.Tests.Verify;

namespace Serving.Serving.Tests.Models;

public sealed class ModelCommandTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public async Task An_added_model_is_listed_and_stays_where_it_lies_when_it_is_removed()
    {
        var file = _root.Touch("mine/Tiny-Q8_0.gguf", "12345");
        Assert.Equal(0, (await RunAsync("add", file)).ExitCode);

        using var listed = JsonDocument.Parse((await RunAsync("list", "--json")).Output);
        var model = listed.RootElement.EnumerateArray().Single(model => model.GetProperty("name").GetString() == "Tiny-Q8_0");
        Assert.Equal(("gguf", 5, file), (model.GetProperty("format").GetString(), model.GetProperty("size").GetInt32(), model.GetProperty("path").GetString()));
        // The repository's own come along.
        Assert.Contains(listed.RootElement.EnumerateArray(), other => other.GetProperty("origin").GetString() == ModelStore.RepositoryOrigin);

        Assert.Equal(0, (await RunAsync("remove", "Tiny-Q8_0", "--yes")).ExitCode);
        Assert.True(File.Exists(file));
        Assert.DoesNotContain("Tiny-Q8_0", (await RunAsync("list")).Output);
    }

    [Fact]
    public async Task A_copy_is_the_data_folders_own()
    {
        var folder = Path.GetDirectoryName(_root.Touch("hf/config.json", "{}"))!;
        _root.Touch("hf/model.safetensors", "12345");
        _root.Touch("hf/pytorch_model.bin", "pickle");
        Assert.Equal(0, (await RunAsync("add", folder, "--name", "own", "--copy")).ExitCode);
        Directory.Delete(folder, recursive: true);
        var own = _root.File("data/models/own");
        Assert.Equal(["config.json", "model.safetensors", "serving-model.json"], Directory.GetFiles(own).Select(Path.GetFileName).Order());

        File.WriteAllText(Path.Combine(own, "note.txt"), "mine");
        Assert.Contains("stays, for it holds what serving did not put there: note.txt", (await RunAsync("remove", "own", "-y")).Output);
        Assert.Equal(["note.txt"], Directory.GetFiles(own).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_served_model_is_not_removed()
    {
        await RunAsync("add", _root.Touch("Tiny.gguf"));
        using (var folder = DataFolder.Open(_root.File("data")))
        {
            folder.Announce(new RunningPlatform(42, "http://127.0.0.1:8080", "r") { Models = [_root.File("Tiny.gguf")] });
            var refused = await RunAsync("remove", "Tiny", "--yes");
            Assert.Equal(1, refused.ExitCode);
            Assert.Contains("A running platform (pid 42, http://127.0.0.1:8080) serves Tiny: stop it first.", refused.Error);
        }

        Assert.Equal(0, (await RunAsync("remove", "Tiny", "--yes")).ExitCode);
    }

    [Fact]
    public async Task A_model_that_is_gone_is_shown_as_missing()
    {
        var file = _root.Touch("Tiny.gguf");
        await RunAsync("add", file);
        File.Delete(file);
        Assert.Matches(@"Tiny\s+missing", (await RunAsync("list")).Output);
    }

    [Theory]
    [InlineData("remove none --yes", "There is no model none in the data folder")]
    [InlineData("remove ../x --yes", "There is no model ../x")]
    [InlineData("remove smollm2-135m-instruct --yes", "comes with the repository")]
    [InlineData("add /nowhere/x.gguf", "there is no such file or folder")]
    [InlineData("pull nonsense", "is not OWNER/NAME")]
    public async Task A_mistake_is_explained_with_exit_code_1(string line, string expected)
    {
        var run = await RunAsync(line.Split(' '));
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(expected, run.Error);
        Assert.Empty(run.Output);
    }

    private Task<CommandRun> RunAsync(params string[] arguments) => CommandRun.Of(["model", .. arguments, "--data", _root.File("data")]);
}
