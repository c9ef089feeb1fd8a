using Serving.Engine.Execution;
using Serving.Engine.Kernels;
using Serving.Engine.Scheduling;

namespace Serving.Engine.Sampling;

/// <summary>
/// Chooses the next tokens of a step's sequences, many at once: threads take rows of logits as they come, each with a sampler of its own. A row's token depends on the row
/// and its sequence only, so it is the same whichever thread chooses it. Allocates nothing; one caller at a time.
/// </summary>
public sealed class StepSampler
{
    /// <summary>From this many rows on it pays to wake the other threads.</summary>
    private const int SharedRowsMin = 2;

    private const int NoToken = -1;

    private readonly ComputePool? _pool;
    private readonly Sampler[] _samplers;

    // Of the scheduled sequences, chosen from the first of their rows.
    private readonly int[] _tokens;
    private StepPlan _plan = null!;

    /// <param name="vocabularySize">Width of a row of logits.</param>
    /// <param name="sequencesMax">Most sequences of a step.</param>
    /// <param name="pool">The threads that help the caller where nobody else has them; null: the caller does all.</param>
    public StepSampler(int vocabularySize, int sequencesMax, ComputePool? pool = null)
    {
        _pool = pool;
        _tokens = new int[sequencesMax];
        _samplers = new Sampler[pool?.ThreadCount ?? 1];
        for (int thread = 0; thread < _samplers.Length; thread++)
        {
            _samplers[thread] = new Sampler(vocabularySize);
        }
    }

    /// <summary>
    /// Chooses a token from the first row of each sequence that has logits in a step that has run, and keeps the log probabilities of prompt tokens where they are
    /// wanted.
    /// </summary>
    public void Run(Scheduler scheduler, StepPlan plan)
    {
        ArgumentNullException.ThrowIfNull(scheduler);
        ArgumentNullException.ThrowIfNull(plan);
        _plan = plan;
        var work = new Rows(this, scheduler);
        if (plan.LogitRowCount >= SharedRowsMin && _pool is { ThreadCount: > 1 } pool && pool.TryEnterStep())
        {
            try
            {
                pool.Run(ref work);
            }
            finally
            {
                pool.LeaveStep();
            }
        }
        else
        {
            work.Execute(0, 1);
        }
    }

    /// <summary>The token that was chosen, or that a row of a guess gives now: its sequence must have grown by the tokens before it.</summary>
    /// <param name="index">The sequence's place in <see cref="Scheduler.Scheduled"/>.</param>
    /// <param name="scheduled">The sequence there; it has logits.</param>
    /// <param name="row">Which of its rows of logits.</param>
    /// <returns>False when the row is broken (<see cref="Sampler.TrySample"/>).</returns>
    public bool TryGetToken(int index, in ScheduledSequence scheduled, int row, out int token)
    {
        token = row == 0 ? _tokens[index] : Choose(_samplers[0], in scheduled, row);
        return token != NoToken;
    }

    private int Choose(Sampler sampler, in ScheduledSequence scheduled, int row)
    {
        ReadOnlySpan<float> logits = Logits(scheduled.LogitsIndex + row);
        if (!sampler.TrySample(scheduled.Sequence.SamplingInput(logits), out int token))
        {
            return NoToken;
        }

        scheduled.Sequence.Logprobs?.Add(sampler, logits, token);
        return token;
    }

    private void KeepPromptLogprobs(Sampler sampler, in ScheduledSequence scheduled)
    {
        for (int row = 0; row < scheduled.ScheduledTokens - scheduled.DraftCount; row++)
        {
            scheduled.Sequence.KeepPromptLogprob(row, sampler, Logits(scheduled.PromptLogitsIndex + row));
        }
    }

    private ReadOnlySpan<float> Logits(int row) => _plan.Logits.Slice(row * _plan.VocabularySize, _plan.VocabularySize);

    private struct Rows(StepSampler sampler, Scheduler scheduler) : IParallelWork
    {
        private int _next;

        public void Execute(int thread, int threadCount)
        {
            ReadOnlySpan<ScheduledSequence> all = scheduler.Scheduled;
            for (int i = Interlocked.Increment(ref _next) - 1; i < all.Length; i = Interlocked.Increment(ref _next) - 1)
            {
                if (all[i].PromptLogitsIndex >= 0)
                {
                    sampler.KeepPromptLogprobs(sampler._samplers[thread], in all[i]);
                }

                if (all[i].LogitsIndex >= 0)
                {
                    sampler._tokens[i] = sampler.Choose(sampler._samplers[thread], in all[i], row: 0);
                }
            }
        }
    }
}
