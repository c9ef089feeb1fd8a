using System.Diagnostics;
using Serving.Engine;
using Serving.Engine.Execution;
using Serving.Engine.Execution.Cpu;
using Serving.Engine.Formats;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using Serving.Text;
using Serving.Text.Tokenization;

namespace Serving.Kernels.Bench;

/// <summary>
/// What guessing tokens gains: the same chats decoded with and without in turns, by scheduler, executor and sampler as a worker runs them. Says also whether every answer was the same.
/// </summary>
internal static class SpeculationTable
{
    private const int Rounds = 5;
    private const int AnswerTokens = 128;
    private const int DraftsMax = 16;

    private const string Text =
        "The river rises in the northern hills and flows south for about two hundred kilometres before it reaches the sea. Along its banks lie seven towns, of which " +
        "Arden is the oldest and the largest. Boats carry grain, timber and wool down the river in summer, and in winter the upper part freezes over.";

    private const string Code =
        "for x in range(10):\n    print(x)\n    total = total + x\n    if x > 5:\n        print('large', x)\n    else:\n        print('small', x)\n";

    private static readonly string[] Edits =
    [
        $"Repeat the following text exactly:\n{Text}",
        $"Correct the spelling in this text and write it out again:\n{Text.Replace("grain", "grian", StringComparison.Ordinal)}",
        $"Copy this code and rename x to y:\n{Code}",
    ];

    private static readonly string[] Others =
    [
        "Write a short story about a dog who learns to swim.",
        "Explain how photosynthesis works.",
        "What should I cook for dinner tonight?",
        "Write a poem about autumn in the mountains.",
    ];

    public static void Print(string path)
    {
        using ComputePool pool = new(Environment.ProcessorCount);
        using ModelSource source = ModelSource.Open(path);
        using CpuModelExecutor executor = ModelLoader.Load(source, new ModelLoadOptions { KvBlocks = 1024 }, pool);
        ITokenizer tokenizer = source.ReadText().Tokenizer;
        Console.WriteLine($"{ThroughputTable.ProcessorName()}, {pool.ThreadCount} threads, {executor.Model.ComputePath}; decode, medians of {Rounds} rounds in turns");
        Console.WriteLine($"{"prompts",-14}{"temperature",12}{"streams",9}{"with / without",16}{"guessed",9}{"held",7}  same answers");
        foreach ((string name, string[] chats) in new[] { ("copy and edit", Edits), ("others", Others) })
        {
            int[][] prompts = Array.ConvertAll(chats, chat => Encode(tokenizer, chat));
            foreach (float temperature in new[] { 0f, 0.8f })
            {
                foreach (int streams in new[] { 1, 8 })
                {
                    PrintCase(executor, name, prompts, temperature, streams);
                }
            }
        }
    }

    private static void PrintCase(CpuModelExecutor executor, string name, int[][] prompts, float temperature, int streams)
    {
        double[] ratios = new double[Rounds];
        long drafted = 0, accepted = 0;
        bool isSame = true;
        for (int round = 0; round < Rounds; round++)
        {
            double without = 0, with = 0;
            for (int first = 0; first < prompts.Length; first++)
            {
                int[][] chosen = [.. Enumerable.Range(first, streams).Select(i => prompts[i % prompts.Length])];
                Decoding plain = new(executor, chosen, temperature, draftsMax: 0);
                Decoding guessing = new(executor, chosen, temperature, DraftsMax);
                without += plain.Seconds;
                with += guessing.Seconds;
                drafted += guessing.Scheduler.DraftedCount;
                accepted += guessing.Scheduler.AcceptedCount;
                isSame &= plain.Answers.Zip(guessing.Answers).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));
            }

            ratios[round] = without / with;
        }

        Array.Sort(ratios);
        Console.WriteLine($"{name,-14}{temperature,12:F1}{streams,9}{ratios[Rounds / 2],16:F2}{drafted / Rounds,9}{accepted / Rounds,7}  {(isSame ? "yes" : "NO")}");
    }

    private static int[] Encode(ITokenizer tokenizer, string chat)
    {
        List<int> tokens = [];
        tokenizer.Encode(PromptText.Trusted($"<|im_start|>user\n{chat}<|im_end|>\n<|im_start|>assistant\n"), addSpecialTokens: false, tokens);
        return [.. tokens];
    }

    /// <summary>One run of some prompts to the end of their answers.</summary>
    private sealed class Decoding : ISequenceObserver
    {
        private readonly CpuModelExecutor _executor;
        private readonly StepPlan _plan;
        private readonly Sampler _sampler;

        public Decoding(CpuModelExecutor executor, int[][] prompts, float temperature, int draftsMax)
        {
            _executor = executor;
            _sampler = new Sampler(executor.Model.VocabularySize);
            SchedulerOptions options = new() { DraftsMax = draftsMax, PrefixCache = false };
            _plan = new StepPlan(options.BatchTokensMax, options.RunningSequencesMax, executor.Model.VocabularySize, draftsMax);
            AdmissionLimits limits = new(executor.Model.ContextLength, executor.KvLayout.TokensIn(executor.KvBlockCount), options.WaitingSequencesMax, executor.Model.VocabularySize);
            Scheduler = new Scheduler(new KvBlockPool(executor.KvBlockCount), executor.KvLayout, limits, options, executor.CopyBlock);
            List<Sequence> sequences = [];
            foreach (int[] prompt in prompts)
            {
                SamplingParameters sampling = SamplingParameters.Greedy with { Temperature = temperature, Seed = 5 };
                sequences.Add(new Sequence(
                    new SequenceId(sequences.Count + 1), prompt, SequenceWork.Generate, prompt.Length + AnswerTokens, sampling, default, executor.KvLayout, this));
                Scheduler.Enqueue(sequences[^1]);
            }

            while (Scheduler.SequenceCount > 0)
            {
                Seconds += Step();
            }

            Answers = sequences.ConvertAll(sequence => sequence.Tokens[sequence.PromptLength..].ToArray());
        }

        public Scheduler Scheduler { get; }

        public double Seconds { get; }

        public List<int[]> Answers { get; }

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

        /// <returns>The step's time; 0 for one that computed prompts.</returns>
        private double Step()
        {
            long begin = Stopwatch.GetTimestamp();
            Scheduler.FillStep(_plan);
            _executor.Execute(_plan);
            Scheduler.ObserveStep(Stopwatch.GetElapsedTime(begin));
            bool hasPrompt = false;
            foreach (ref readonly ScheduledSequence scheduled in Scheduler.Scheduled)
            {
                hasPrompt |= scheduled.ScheduledTokens - scheduled.DraftCount > 1;
                for (int row = 0; Scheduler.Commit(scheduled, row, Sample(scheduled, row));)
                {
                    row++;
                }
            }

            return hasPrompt ? 0 : Stopwatch.GetElapsedTime(begin).TotalSeconds;
        }

        private int Sample(in ScheduledSequence scheduled, int row)
        {
            if (scheduled.LogitsIndex < 0)
            {
                return -1;
            }

            ReadOnlySpan<float> logits = _plan.Logits.Slice((scheduled.LogitsIndex + row) * _plan.VocabularySize, _plan.VocabularySize);
            return _sampler.TrySample(scheduled.Sequence.SamplingInput(logits), out int token) ? token : throw new InvalidOperationException("The logits are not finite.");
        }
    }
}
