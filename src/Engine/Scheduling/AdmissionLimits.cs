namespace Serving.Engine.Scheduling;

/// <summary>What an engine can take at all. Immutable: any thread may ask.</summary>
/// <param name="ContextLength">Most tokens of a sequence that the model can handle.</param>
/// <param name="PoolTokens">Token slots of the whole KV pool.</param>
/// <param name="WaitingSequencesMax">Bound of the waiting queue.</param>
/// <param name="VocabularySize">Token ids are below it.</param>
public sealed record AdmissionLimits(int ContextLength, int PoolTokens, int WaitingSequencesMax, int VocabularySize)
{
    /// <summary>Most tokens of a sequence, prompt and answer: an answer that reaches it ends by length.</summary>
    public int SequenceTokensMax => Math.Min(ContextLength, PoolTokens);

    /// <summary>Most sequences of one tenant that may wait.</summary>
    public int WaitingSequencesPerTenantMax { get; init; } = WaitingSequencesMax;

    /// <summary>The refusal of a prompt, or null.</summary>
    /// <param name="waiting">Sequences that wait already.</param>
    /// <param name="waitingOfTenant">Those of them that are the same tenant's.</param>
    public Refusal? Examine(ReadOnlySpan<int> prompt, SequenceWork work, int waiting, int waitingOfTenant = 0)
    {
        var needed = work.HasAnswer() ? (long)prompt.Length + 1 : prompt.Length;
        if (needed > ContextLength)
        {
            return new Refusal(
                RefusalReason.ContextExceeded,
                $"The prompt has {prompt.Length} tokens; the model's context holds {ContextLength}, the answer included.");
        }

        if (needed > PoolTokens)
        {
            return new Refusal(
                RefusalReason.PoolTooSmall,
                $"The prompt has {prompt.Length} tokens; the KV cache of this worker holds {PoolTokens}, the answer included.");
        }

        var unknown = prompt.IndexOfAnyExceptInRange(0, VocabularySize - 1);
        if (unknown >= 0)
        {
            return new Refusal(
                RefusalReason.UnknownToken,
                $"Prompt token {unknown} is {prompt[unknown]}; the vocabulary has ids from 0 to {VocabularySize - 1}.");
        }

        if (waiting >= WaitingSequencesMax)
        {
            return new Refusal(RefusalReason.QueueFull, $"{waiting} sequences wait already, which is the most this worker allows.", WaitingSequencesMax);
        }

        return waitingOfTenant < WaitingSequencesPerTenantMax
            ? null
            : new Refusal(
                RefusalReason.TenantQueueFull,
                $"{waitingOfTenant} sequences of this API key wait already, which is the most this worker allows for one.",
                WaitingSequencesPerTenantMax);
    }

    /// <summary>Most tokens that a sequence admitted under these limits may have.</summary>
    /// <param name="answerTokensMax">What the client allows; null: as many as fit.</param>
    public int TokensMax(int promptLength, SequenceWork work, int? answerTokensMax) => work.HasAnswer()
        ? (int)Math.Min(SequenceTokensMax, promptLength + (long)(answerTokensMax ?? SequenceTokensMax))
        : promptLength;
}
