using System.Diagnostics;
using Serving.Engine.Execution;
using Serving.Engine.Kernels;
using Serving.Engine.Scheduling;

namespace Serving.Cli.Bench;

/// <summary>Measures prompts and decode steps of one executor, each time with a new <see cref="EngineRun"/>, so that no block of an earlier one is left.</summary>
internal sealed class EngineProbe(IModelExecutor executor, SchedulerOptions options, ComputePool pool)
{
    /// <summary>The first token after each prompt of the last measurement.</summary>
    public IReadOnlyList<int> FirstTokens { get; private set; } = [];

    /// <summary>Every step until each prompt's first answer token is there.</summary>
    public StepSum Prefill(int[][] prompts) => Measure(prompts, answerTokens: 1, _ => true);

    /// <summary>The steps in which every stream decodes and nothing else happens.</summary>
    /// <param name="steps">Most of them; those in which the later prompts are still computed go off.</param>
    public StepSum Decode(int[][] prompts, int steps) => Measure(prompts, steps + 1, run => run.HasDecoded(prompts.Length));

    private StepSum Measure(int[][] prompts, int answerTokens, Predicate<EngineRun> counts)
    {
        var run = new EngineRun(executor, options, pool);
        Sequence[] sequences = [.. prompts.Select(prompt => run.Submit(prompt, answerTokens))];
        StepSum sum = default;
        while (run.SequenceCount > 0)
        {
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var begin = Stopwatch.GetTimestamp();
            run.Step();
            var ticks = Stopwatch.GetTimestamp() - begin;
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            if (counts(run))
            {
                sum += new StepSum(1, run.RowCount, run.LogitRowCount, ticks / (double)Stopwatch.Frequency, allocated);
            }
        }

        FirstTokens = [.. sequences.Select(sequence => sequence.AnswerToken(0))];
        return sum.Steps > 0 ? sum : throw new BenchException($"{prompts.Length} streams never decoded together: their answers of {answerTokens} tokens are too short for that.");
    }
}
