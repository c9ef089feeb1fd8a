using Serving.Engine.Scheduling;

namespace Serving.Worker.Loop;

/// <summary>One event of a sequence.</summary>
/// <param name="TokenId">With <see cref="SequenceOutputKind.Token"/>: the token, end tokens included.</param>
/// <param name="Position">With <see cref="SequenceOutputKind.Token"/>: its place in the answer, from 0.</param>
/// <param name="State">With <see cref="SequenceOutputKind.Finished"/>: how it ended.</param>
/// <param name="Error">With <see cref="SequenceOutputKind.Failed"/>: one sentence.</param>
public readonly record struct SequenceOutput(
    SequenceOutputKind Kind,
    int TokenId = -1,
    int Position = -1,
    SequenceState State = default,
    string? Error = null);
