using Serving.Engine.KvCache;
using Serving.Engine.Speculation;

namespace Serving.Engine.Scheduling;

/// <content>
/// Speculation: a sequence in decode may have rows for guessed tokens behind its own (<see cref="PromptLookup"/>). Every row's logits are what they would be without
/// the others, so that sampling them one after the other, as long as each sampled token is the one guessed, gives exactly the answer of one token a step.
/// </content>
public sealed partial class Scheduler
{
    private int _draftsLeft;

    /// <summary>Tokens guessed so far.</summary>
    public long DraftedCount { get; private set; }

    /// <summary>Guesses that held.</summary>
    public long AcceptedCount { get; private set; }

    /// <summary>Appends a token and tells whether it is the guess at a place.</summary>
    private bool AppendAndCompare(in ScheduledSequence scheduled, int draft, int sampledToken)
    {
        var sequence = scheduled.Sequence;
        var isAsGuessed = draft < scheduled.DraftCount && sequence.NextIsGuessed(sampledToken);
        AppendSampled(sequence, sampledToken);
        var goesOn = isAsGuessed && !sequence.IsFinished && sequence.CanSample;
        if (!goesOn && scheduled.DraftCount > 0)
        {
            sequence.DraftLength?.Observe(scheduled.DraftCount, isAsGuessed ? draft + 1 : draft);
        }

        return goesOn;
    }

    /// <summary>Puts guesses behind a sequence's tokens, for which it has blocks.</summary>
    /// <returns>How many.</returns>
    private int Draft(Sequence sequence)
    {
        if (_draftsLeft == 0 || sequence.DraftLength is not { } length)
        {
            return 0;
        }

        var place = PromptLookup.Find(sequence.Tokens.Span);
        var count = place < 0 ? 0 : Math.Min(length.Next(_cost.RowCost(_running.Count)), _draftsLeft);
        count = Math.Min(count, sequence.TokensMax - sequence.TokenCount - 1);
        if (count > 0 && sequence.Table.Grow(BlocksFor(sequence.TokenCount + count), _pool) == AllocationResult.NoBlocks)
        {
            count = Math.Min(count, (sequence.Table.Count * _blockSize) - sequence.TokenCount);
        }

        if (count <= 0)
        {
            return 0;
        }

        sequence.Guess(place, count);
        count = sequence.CountAdmitted(count);
        _draftsLeft -= count;
        DraftedCount += count;
        return count;
    }
}
