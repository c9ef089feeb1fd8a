namespace Serving.Engine.Scheduling;

/// <summary>A sequence was not taken, and nothing is held for it.</summary>
/// <param name="Message">One sentence with the figures.</param>
/// <param name="SequencesMax">Of a full queue: how many it holds; otherwise 0.</param>
public sealed record Refusal(RefusalReason Reason, string Message, int SequencesMax = 0);
