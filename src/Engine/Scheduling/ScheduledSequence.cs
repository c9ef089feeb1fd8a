namespace Serving.Engine.Scheduling;

/// <summary>A sequence's part of a step.</summary>
/// <param name="ScheduledTokens">Its rows.</param>
/// <param name="LogitsIndex">Its row of the step's logits, from which its next token is to be sampled; -1: none.</param>
public readonly record struct ScheduledSequence(Sequence Sequence, int ScheduledTokens, int LogitsIndex);
