using System.Diagnostics;
using Serving.Engine;
using Serving.Engine.Execution;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;

namespace Serving.Kernels.Bench;

/// <summary>What the choice of one token costs, by what is asked for, on rows as wide as SmolLM2's vocabulary.</summary>
internal static class SamplerTimes
{
    private const int Vocabulary = 49_152;
    private const int Rows = 32;
    private const int Rounds = 30;

    // For the JIT compiler's last tier, which works in the background.
    private const int WarmUpMs = 500;

    public static void Print()
    {
        (string Name, SamplingParameters Parameters)[] settings =
        [
            ("greedy", SamplingParameters.Greedy),
            ("temperature 1", new()),
            ("top-p 0.95", new() { TopP = 0.95f }),
            ("top-k 50", new() { TopK = 50 }),
            ("top-k 50, top-p 0.95, temperature 0.8", new() { Temperature = 0.8f, TopK = 50, TopP = 0.95f }),
            ("min-p 0.05", new() { MinP = 0.05f }),
            ("typical-p 0.95", new() { TypicalP = 0.95f }),
            ("greedy, penalties over 2,000 tokens", SamplingParameters.Greedy with { RepetitionPenalty = 1.1f, FrequencyPenalty = 0.5f }),
        ];
        Console.WriteLine($"µs a row of {Vocabulary} logits, median of {Rounds} rounds over {Rows} rows; few: most mass on few tokens, many: on thousands");
        Console.WriteLine($"{"",-40}{"few",8}{"many",8}");
        foreach (var (name, parameters) in settings)
        {
            Console.WriteLine($"{name,-40}{Measure(parameters, 24, logprobs: false),8:F1}{Measure(parameters, 8, logprobs: false),8:F1}");
        }

        Console.WriteLine(
            $"{"20 log probabilities more",-40}{Measure(SamplingParameters.Greedy, 24, logprobs: true),8:F1}{Measure(SamplingParameters.Greedy, 8, logprobs: true),8:F1}");
        PrintSteps();
    }

    /// <summary>A step's rows, as an engine samples them: by its own thread, and by all.</summary>
    private static void PrintSteps()
    {
        using ComputePool pool = new(Environment.ProcessorCount);
        Console.WriteLine($"ms a step of {Rows} rows, top-p 0.95, many: {MeasureStep(null):F2} by the engine's thread, {MeasureStep(pool):F2} by {pool.ThreadCount}");
    }

    private static double MeasureStep(ComputePool? pool)
    {
        KvCacheLayout layout = new(Layers: 1, KvHeads: 1, KeyDim: 1, ValueDim: 1, BlockSize: 16, KvDataType.Float32);
        AdmissionLimits limits = new(ContextLength: 16, PoolTokens: 16 * Rows, WaitingSequencesMax: Rows, Vocabulary);
        Scheduler scheduler = new(new KvBlockPool(2 * Rows), layout, limits, new SchedulerOptions(), (_, _) => { });
        for (var i = 0; i < Rows; i++)
        {
            scheduler.Enqueue(new Sequence(new SequenceId(i), [i], SequenceWork.Generate, 2, new SamplingParameters { TopP = 0.95f, Seed = i }, default, layout, new Nobody()));
        }

        StepPlan plan = new(rowsMax: Rows, sequencesMax: Rows, Vocabulary);
        scheduler.FillStep(plan);
        Logits(spread: 8).CopyTo(plan.Logits);
        StepSampler sampler = new(Vocabulary, Rows, pool);
        return Median(() => sampler.Run(scheduler, plan)) / 1000;
    }

    private static double Measure(SamplingParameters parameters, float spread, bool logprobs)
    {
        var random = new Random(2);
        var logits = Logits(spread);
        var tokens = new int[2_000];
        for (var i = 0; i < tokens.Length; i++)
        {
            tokens[i] = random.Next(Vocabulary);
        }

        var sampler = new Sampler(Vocabulary);
        var top = new TokenLogprob[SamplingParameters.TopLogprobsMax];
        return Median(() =>
        {
            for (var row = 0; row < Rows; row++)
            {
                var input = new SamplingInput
                {
                    Logits = logits.AsSpan(row * Vocabulary, Vocabulary),
                    Parameters = parameters,
                    Tokens = tokens,
                    PromptLength = 1_000,
                };
                sampler.TrySample(input, out var token);
                if (logprobs)
                {
                    sampler.Logprob(input.Logits, token, top);
                }
            }
        }) / Rows;
    }

    private static float[] Logits(float spread)
    {
        var random = new Random(1);
        var logits = new float[Rows * Vocabulary];
        for (var i = 0; i < logits.Length; i++)
        {
            logits[i] = (random.NextSingle() + random.NextSingle() + random.NextSingle() + random.NextSingle() - 2) * spread;
        }

        return logits;
    }

    /// <summary>µs that something takes.</summary>
    private static double Median(Action run)
    {
        var times = new double[Rounds];
        var started = Stopwatch.GetTimestamp();
        for (var round = 0; round < Rounds; round += Stopwatch.GetElapsedTime(started).TotalMilliseconds < WarmUpMs ? 0 : 1)
        {
            var begin = Stopwatch.GetTimestamp();
            run();
            times[round] = Stopwatch.GetElapsedTime(begin).TotalMicroseconds;
        }

        Array.Sort(times);
        return times[Rounds / 2];
    }

    private sealed class Nobody : ISequenceObserver
    {
        public void OnAdmitted(Sequence sequence)
        {
        }

        public void OnComputed(Sequence sequence)
        {
        }

        public void OnPrefillComputed(Sequence sequence)
        {
        }

        public void OnToken(Sequence sequence)
        {
        }

        public void OnFinished(Sequence sequence)
        {
        }
    }
}
