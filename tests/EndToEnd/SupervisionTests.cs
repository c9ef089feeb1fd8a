using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Serving.Contracts.Cluster;

namespace Serving.EndToEnd;

/// <summary>Platforms of their own, because these tests kill them.</summary>
public sealed class SupervisionTests
{
    private static readonly TimeSpan StopTimeMax = TimeSpan.FromSeconds(15);

    [Fact]
    public async Task A_worker_that_dies_is_restarted_and_the_next_request_works()
    {
        await using Platform platform = await Platform.StartAsync();
        foreach (string role in new[] { "prefill", "decode" })
        {
            (string id, int pid) = (await Cluster.PidsAsync(platform)).Single(worker => worker.Key.StartsWith(role, StringComparison.Ordinal));
            ProcessTable.Send(pid, UnixSignal.Kill);

            await Cluster.WaitUntilAsync(
                async () => (await Cluster.PidsAsync(platform)) is { Count: 2 } workers && !workers.ContainsKey(id), $"no new {role} worker registered");
            await platform.WaitUntilReadyAsync();
            Assert.Equal((Chat.Answer, "stop"), await Chat.AskAsync(platform.Client, Chat.Request()));
        }
    }

    [Fact]
    public async Task Without_a_prefill_worker_the_decode_worker_computes_the_prompt()
    {
        await using Platform platform = await Platform.StartAsync();
        (_, int pid) = (await Cluster.PidsAsync(platform)).Single(worker => worker.Key.StartsWith("prefill", StringComparison.Ordinal));
        ProcessTable.Send(pid, UnixSignal.Kill);

        // At once, while the registry may still name the dead worker: the hand-off fails and the decode worker falls back.
        Assert.Equal((Chat.Answer, "stop"), await Chat.AskAsync(platform.Client, Chat.Request()));
        await Cluster.WaitUntilNoKvIsUsedAsync(platform, WorkerRole.Decode);
    }

    [Fact]
    public async Task Interrupt_stops_every_process_in_order_and_leaves_files_in_the_data_folder_only()
    {
        await using Platform platform = await Platform.StartAsync();
        Assert.Equal((Chat.Answer, "stop"), await Chat.AskAsync(platform.Client, Chat.Request()));
        Assert.Equal(5, platform.Processes().Count);

        platform.Signal(UnixSignal.Interrupt);
        Assert.Equal(0, await platform.WaitForExitAsync(StopTimeMax));
        Assert.Empty(platform.Processes());
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(platform.Root, "home"), "*", SearchOption.AllDirectories));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(platform.Root, "tmp"), "*", SearchOption.AllDirectories));
        Assert.Equal(["data", "home", "tmp"], Directory.GetFileSystemEntries(platform.Root).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Killing_up_itself_leaves_no_process()
    {
        await using Platform platform = await Platform.StartAsync();
        ProcessTable.Send(platform.Pid, UnixSignal.Kill);
        await platform.WaitForExitAsync(StopTimeMax);
        await Cluster.WaitUntilAsync(() => Task.FromResult(platform.Processes().Count == 0), "processes of a killed platform live on", StopTimeMax);
    }

    [Fact]
    public async Task Runs_on_a_real_redis_and_restarts_on_the_same_data()
    {
        string? server = FindOnPath("redis-server");
        Assert.SkipWhen(server is null, "redis-server is not installed: ./test.sh installs it");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("serving-redis-");
        int port = Platform.FreePort();
        using Process redis = Process.Start(new ProcessStartInfo(
            server!, ["--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--dir", folder.FullName])
        { RedirectStandardOutput = true })!;
        try
        {
            for (int round = 0; round < 2; round++)
            {
                await using Platform platform = await Platform.StartAsync("--redis", $"127.0.0.1:{port}");
                Assert.Equal((Chat.Answer, "stop"), await Chat.AskAsync(platform.Client, Chat.Request()));
            }
        }
        finally
        {
            redis.Kill();
            await redis.WaitForExitAsync();
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Any_address_but_loopback_needs_a_key()
    {
        await using Platform platform = await Platform.StartAsync("--host", "0.0.0.0", "--api-key", "sk-test-0123456789abcdef");
        using HttpResponseMessage keyless = await platform.Client.GetAsync("/v1/models");
        Assert.Equal(HttpStatusCode.Unauthorized, keyless.StatusCode);

        platform.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "sk-test-0123456789abcdef");
        Assert.Equal((Chat.Answer, "stop"), await Chat.AskAsync(platform.Client, Chat.Request()));
    }

    [Fact]
    public async Task Chat_starts_a_platform_for_one_question_and_leaves_nothing()
    {
        DirectoryInfo root = Directory.CreateTempSubdirectory("serving-e2e-");
        try
        {
            using Process process = Platform.Start(
                root, ["chat", "--url", $"http://127.0.0.1:{Platform.FreePort()}", "--temperature", "0", Chat.Question]);
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string answer = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, await errors);
            Assert.Equal(Chat.Answer, answer.Trim());
            Assert.Empty(ProcessTable.ThatMention(root.FullName));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    private static string? FindOnPath(string program) =>
        Environment.GetEnvironmentVariable("PATH")?.Split(':').Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
