using Serving.Cli.Output;

namespace Serving.Cli.Bench.Serve;

/// <summary>Decode speed of the served path: so many answers at once, counted while all of them are being written; and, where it is asked for, of the engine by itself in turns with it.</summary>
/// <param name="engine">Decode tokens per second of the engine by itself for a number of streams, or null.</param>
internal sealed class StreamsBenchmark(LoadClient client, int promptTokens, int answerTokens, int rounds, Func<int, double>? engine, Reporter reporter)
{
    private int _requests;

    public async Task<IReadOnlyList<StreamsFigure>> RunAsync(IReadOnlyList<int> streams, CancellationToken stop)
    {
        List<StreamsFigure> figures = [];
        foreach (var count in streams)
        {
            await ServeAsync(count, stop); // Code is compiled and memory touched.
            engine?.Invoke(count);
            List<double> served = [];
            List<double> gaps = [];
            List<double> alone = [];
            for (var round = 0; round < rounds; round++)
            {
                if (engine is not null)
                {
                    QuietProcess.Wait();
                    alone.Add(engine(count));
                }

                IReadOnlyList<RequestOutcome> answers = await ServeAsync(count, stop);
                served.Add(Rate(answers));
                gaps.AddRange(Gaps(answers));
                reporter.Progress(FormattableString.Invariant(
                    $"{count} streams, round {round + 1} of {rounds}: served {served[^1]:0.#} tok/s{(engine is null ? "" : FormattableString.Invariant($", engine {alone[^1]:0.#} tok/s"))}"));
            }

            figures.Add(new StreamsFigure(count, served, alone, [.. gaps.Order()]));
        }

        return figures;
    }

    /// <summary>Tokens of all streams between the moment the last has begun and the moment the first has ended, over that time.</summary>
    /// <exception cref="BenchException">A stream failed, or they were never all under way.</exception>
    internal static double Rate(IReadOnlyList<RequestOutcome> streams)
    {
        if (streams.FirstOrDefault(stream => !stream.IsComplete) is { } failed)
        {
            throw new BenchException($"A stream failed ({failed.Error ?? "no text"}). Is the server running, and does it serve the model?");
        }

        var (begin, end) = Together(streams);
        if (end <= begin)
        {
            throw new BenchException("One stream had ended before the last began, so they never ran together: give more --output-tokens, or --ignore-eos where the server knows it.");
        }

        // A piece of text can be several tokens, or the rest of one.
        return streams.Sum(stream => stream.ChunkTimes.Count(time => time > begin && time <= end) * (stream.AnswerTokens / (double)stream.ChunkTimes.Count)) / (end - begin);
    }

    /// <summary>Seconds between two pieces of text of a stream, both while all streams are under way.</summary>
    internal static IEnumerable<double> Gaps(IReadOnlyList<RequestOutcome> streams)
    {
        var (begin, end) = Together(streams);
        return streams.SelectMany(stream => stream.ChunkTimes.Zip(stream.ChunkTimes.Skip(1)).Where(pair => pair.First >= begin && pair.Second <= end).Select(pair => pair.Second - pair.First));
    }

    /// <summary>When all of them were under way.</summary>
    private static (double Begin, double End) Together(IReadOnlyList<RequestOutcome> streams) =>
        (streams.Max(stream => stream.ChunkTimes[0]), streams.Min(stream => stream.ChunkTimes[^1]));

    private async Task<IReadOnlyList<RequestOutcome>> ServeAsync(int count, CancellationToken stop)
    {
        var first = Interlocked.Add(ref _requests, count) - count;
        return await Task.WhenAll(Enumerable.Range(first, count).Select(i => Task.Run(() => client.SendAsync(LoadText.Create(i, promptTokens), answerTokens, stop), stop)));
    }
}

/// <summary>Decode tokens per second of a number of streams, by round.</summary>
/// <param name="Served">Through the API.</param>
/// <param name="Engine">Of the engine by itself; none where it was not asked for.</param>
/// <param name="Tbt">Seconds between two pieces of a served stream, of all rounds, ascending.</param>
internal sealed record StreamsFigure(int Streams, IReadOnlyList<double> Served, IReadOnlyList<double> Engine, IReadOnlyList<double> Tbt)
{
    /// <summary>Of the medians.</summary>
    public double? Ratio => Engine.Count == 0 ? null : Statistics.Median(Served) / Statistics.Median(Engine);
}
