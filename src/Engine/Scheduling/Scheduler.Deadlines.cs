namespace Serving.Engine.Scheduling;

/// <content>Sequences whose time is up. The clock is the caller's.</content>
public sealed partial class Scheduler
{
    /// <summary>
    /// The earliest <see cref="Sequence.Deadline"/> of those that can be ended by it; <see cref="Sequence.NoDeadline"/> when there is none.
    /// </summary>
    public long NextDeadline() => Math.Min(Earliest(_waiting), Earliest(_running));

    /// <summary>
    /// Ends every sequence whose deadline is not after <paramref name="now"/>. Where somebody else uses its blocks it ends once he no longer does.
    /// </summary>
    public void ExpireDeadlines(long now)
    {
        Expire(_waiting, now);
        Expire(_running, now);
        Expire(_waitingForRemoteKv, now);
        Expire(_prefillComputed, now);
    }

    private void Expire(List<Sequence> sequences, long now)
    {
        for (var i = sequences.Count - 1; i >= 0; i--)
        {
            if (sequences[i].Deadline <= now)
            {
                GiveUp(sequences[i], SequenceState.FinishedDeadline);
            }
        }
    }

    private static long Earliest(List<Sequence> sequences)
    {
        var earliest = Sequence.NoDeadline;
        foreach (var sequence in sequences)
        {
            earliest = Math.Min(earliest, sequence.Deadline);
        }

        return earliest;
    }
}
