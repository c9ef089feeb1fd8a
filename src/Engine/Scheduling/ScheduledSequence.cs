namespace Serving.Engine.Scheduling;

/// <summary>A sequence's part of a step.</summary>
/// <param name="ScheduledTokens">Its rows.</param>
/// <param name="LogitsIndex">Its row of the step's logits, from which its next token is to be sampled; -1: none. Those of guessed tokens follow.</param>
/// <param name="DraftCount">Guessed tokens among its rows: the last ones.</param>
/// <param name="PromptLogitsIndex">The row of the step's logits that is its first row's, where those of all its rows are wanted; -1: they are not.</param>
public readonly record struct ScheduledSequence(Sequence Sequence, int ScheduledTokens, int LogitsIndex, int DraftCount = 0, int PromptLogitsIndex = -1);
