using Serving.Grammars;

namespace Serving.Engine.Sampling;

/// <summary>
/// Computes masks that take long, off the engine's thread: one at a time, so that it takes no more than one processor from those who decode, and those of several
/// answers in turn, so that an ambiguous grammar keeps nobody else waiting. Holds no more than one entry for each answer that runs, and those of ended ones until their turn.
/// </summary>
/// <param name="wake">Is called, on any thread, when the masks of an answer are there.</param>
/// <param name="scheduler">Whose threads compute; default: those of the pool.</param>
public sealed class MaskQueue(Action wake, TaskScheduler? scheduler = null)
{
    private readonly TaskFactory _oneAtATime = new(new ConcurrentExclusiveSchedulerPair(scheduler ?? TaskScheduler.Default).ExclusiveScheduler);

    /// <summary>Has masks computed for an answer.</summary>
    /// <returns>Ends when they are there, or the answer has ended.</returns>
    internal Task ComputeAsync(PendingMasks masks, AnswerConstraint answer)
    {
        Task computed = _oneAtATime.StartNew(() => ComputeInTurnAsync(masks, answer)).Unwrap();
        computed.GetAwaiter().UnsafeOnCompleted(wake);
        return computed;
    }

    private static async Task ComputeInTurnAsync(PendingMasks masks, AnswerConstraint answer)
    {
        while (!answer.IsGivenUp && !masks.ComputeNext())
        {
            // To the end of the queue.
            await Task.Yield();
        }
    }
}
