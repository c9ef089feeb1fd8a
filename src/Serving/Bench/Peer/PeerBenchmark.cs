using Serving.Cli.Output;
using Serving.Engine.Kernels;

namespace Serving.Cli.Bench.Peer;

/// <summary>Measures our engine and llama.cpp in turns, in one process and on the same prompts.</summary>
/// <param name="denseModel">GGUF file for the cases without experts.</param>
/// <param name="moeModel">GGUF file for those with.</param>
internal sealed class PeerBenchmark(LlamaLibrary library, string denseModel, string moeModel, int threads, int rounds, Reporter reporter)
{
    /// <summary>A measurement of a small model takes milliseconds: it is repeated until a passing disturbance no longer decides it.</summary>
    private const double SecondsMin = 0.5;

    public PeerReport Run(IReadOnlyList<PeerCase> cases, CancellationToken stop)
    {
        List<PeerResult> results = [];
        foreach (var model in cases.GroupBy(one => one.IsMoe))
        {
            var path = model.Key ? moeModel : denseModel;
            using var ours = new EngineSide(path, threads, model);
            using var theirs = new LlamaSide(library, path, threads);
            foreach (var one in model)
            {
                results.Add(Measure(one, ours, theirs, stop) with { Model = Path.GetFileNameWithoutExtension(path), ComputePath = ours.Model.ComputePath });
            }
        }

        return new PeerReport(BenchMachine.Read(), KernelSelection.Default, library.Version, library.SystemInfo, library.Path, threads, rounds, results);
    }

    private PeerResult Measure(PeerCase one, EngineSide ours, LlamaSide theirs, CancellationToken stop)
    {
        var prompts = RandomPrompts.Create(one.Streams, one.PromptTokens, ours.Model.VocabularySize, seed: one.Streams);
        IPeerSide[] sides = [ours, theirs];
        foreach (var side in sides)
        {
            side.Prepare(one, prompts);
            side.Measure(); // Code is compiled and memory touched.
        }

        double[][] figures = [new double[rounds], new double[rounds]];
        for (var round = 0; round < rounds; round++)
        {
            for (var side = 0; side < sides.Length; side++)
            {
                stop.ThrowIfCancellationRequested();
                figures[side][round] = MeasureLongEnough(sides[side]).TokensPerSecond;
            }

            reporter.Progress(FormattableString.Invariant($"{one.Name}, round {round + 1} of {rounds}: ours {figures[0][round]:0.#} tok/s, llama.cpp {figures[1][round]:0.#} tok/s"));
        }

        var agreeing = ours.FirstTokens.Zip(theirs.FirstTokens).Count(pair => pair.First == pair.Second);
        return new PeerResult(one, figures[0], figures[1], agreeing);
    }

    private static StepSum MeasureLongEnough(IPeerSide side)
    {
        QuietProcess.Wait();
        StepSum sum = default;
        while (sum.Seconds < SecondsMin)
        {
            sum += side.Measure();
        }

        return sum;
    }
}
