using Serving.Cli.Bench.Serve;
using Serving.Contracts.Cluster;

namespace Serving.Served.Bench.Soak;

/// <summary>A platform under the load of the conversation trace, watched for leaks: KV blocks and leases that stay, memory that grows, memory that no part explains.</summary>
internal static class SoakRun
{
    private const double DriftMax = 0.02;
    private const long OtherBytesMax = 350L << 20;
    private const long BlockTokens = 16;

    private static readonly TimeSpan _between = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>Runs and prints.</summary>
    /// <param name="upOptions">Options of <c>serving up</c>.</param>
    /// <returns>Whether every bound was kept.</returns>
    public static async Task<bool> RunAsync(TimeSpan duration, string[] upOptions)
    {
        await using FreshPlatform platform = await FreshPlatform.StartAsync(upOptions);
        using WorkerProbe workers = await WorkerProbe.CreateAsync(platform.DataFolder);
        using SoakLoad load = new(platform.Client);

        // Memory that is written for the first time would look like a leak.
        await load.FillAsync((await workers.ReadAsync()).Max(state => state.Load.KvBlocksTotal) * BlockTokens);
        using CancellationTokenSource stop = new(duration);
        Task sending = load.RunAsync(RequestTrace.Read(Path.Combine(FreshPlatform.RepositoryRoot(), "bench", "traces", "azure-conversation.csv")), stop.Token);
        List<WorkerState[]> samples = [];
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(_between, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            samples.Add(await workers.ReadAsync());
        }

        await sending;
        Console.WriteLine(
            $"{load.Answered} requests answered, {load.Failed} failed, {load.Tokens / duration.TotalSeconds:F0} tokens/s of prompts and answers; "
            + $"{samples.Average(sample => sample[^1].Load.RunningSequences):F1} sequences in the mean batch of the last worker");
        bool isSound = load.Failed == 0 && load.Answered > 0;
        for (int worker = 0; worker < samples[0].Length; worker++)
        {
            isSound &= Print([.. samples.Select(sample => sample[worker])]);
        }

        return isSound & await IsIdleAsync(workers);
    }

    private static bool Print(IReadOnlyList<WorkerState> samples)
    {
        // The first fifth warms up; then the first and the last fifth are compared.
        int fifth = Math.Max(1, samples.Count / 5);
        double begin = Median(samples.Skip(fifth).Take(fifth));
        double end = Median(samples.TakeLast(fifth));
        double drift = (end / begin) - 1;
        WorkerMemory parts = samples[^1].Memory;
        long explained = parts.KvBytes + parts.MappedWeightBytes + parts.OwnWeightBytes;
        long most = samples.Max(sample => sample.Memory.ResidentBytes);
        Console.WriteLine(
            $"{samples[0].Worker.Role}: KV pool {MiB(parts.KvBytes)}, weights mapped {MiB(parts.MappedWeightBytes)} and own {MiB(parts.OwnWeightBytes)}, scratch {MiB(parts.ScratchBytes)}, "
            + $".NET heap {MiB(parts.ManagedBytes)}; resident {MiB(begin)} → {MiB(end)} (drift {drift:P1}, at most {DriftMax:P0}), most {MiB(most)} "
            + $"(files {MiB(parts.ResidentFileBytes)}), {MiB(most - explained)} beyond KV pool and weights (at most {MiB(OtherBytesMax)})");
        Console.WriteLine($"{samples[0].Worker.Role}: {Pauses(samples)}");
        return drift < DriftMax && most - explained <= OtherBytesMax;
    }

    /// <summary>How long garbage collections stopped a worker's threads, the engine's among them.</summary>
    private static string Pauses(IReadOnlyList<WorkerState> samples)
    {
        WorkerMemory first = samples[0].Memory, last = samples[^1].Memory;
        int count = last.Collections - first.Collections;
        double longest = samples.Zip(samples.Skip(1), (a, b) => (b.Memory.PauseMilliseconds - a.Memory.PauseMilliseconds) / Math.Max(1, b.Memory.Collections - a.Memory.Collections)).Max();
        return $"{count} garbage collections, {(last.PauseMilliseconds - first.PauseMilliseconds) / Math.Max(1, count):F2} ms each, at most {longest:F2} ms in the mean of {_between.TotalSeconds} s";
    }

    private static double Median(IEnumerable<WorkerState> samples)
    {
        double[] sorted = [.. samples.Select(sample => (double)sample.Memory.ResidentBytes).Order()];
        return sorted[sorted.Length / 2];
    }

    private static string MiB(double bytes) => $"{bytes / (1 << 20):F0} MiB";

    /// <summary>Whether everything that the requests held is given back.</summary>
    private static async Task<bool> IsIdleAsync(WorkerProbe workers)
    {
        long begin = TimeProvider.System.GetTimestamp();
        while (true)
        {
            WorkerState[] states = await workers.ReadAsync();
            bool isIdle = states.All(state => (state.Load.KvBlocksUsed, state.OpenLeases, state.Load.RunningSequences) == (0, 0, 0));
            if (isIdle || TimeProvider.System.GetElapsedTime(begin) > _patience)
            {
                Console.WriteLine(string.Join("; ", states.Select(state => $"{state.Worker.Role} holds {state.Load.KvBlocksUsed} KV blocks and {state.OpenLeases} leases when idle")));
                return isIdle;
            }

            await Task.Delay(100);
        }
    }
}
