using Serving.Engine.Scheduling;

namespace Serving.Worker.Loop;

/// <summary>What a <see cref="SequenceOutput"/> tells.</summary>
public enum SequenceOutputKind
{
    /// <summary>
    /// <see cref="SequenceHandle.PromptBlocks"/> is there. For <see cref="SequenceWork.GenerateFromRemoteKv"/> only: the caller may
    /// write into the blocks from now on, and until it calls <see cref="SequenceHandle.CompleteRemoteKv"/> or
    /// <see cref="SequenceHandle.FailRemoteKv"/>.
    /// </summary>
    BlocksReserved,

    /// <summary>
    /// All tokens of a <see cref="SequenceWork.PrefillOnly"/> sequence are computed; the caller may read
    /// <see cref="SequenceHandle.PromptBlocks"/> until it calls <see cref="SequenceHandle.Release"/>.
    /// </summary>
    PrefillComputed,

    /// <summary>A token was sampled.</summary>
    Token,

    /// <summary>Always last, unless the sequence failed. Its blocks are free.</summary>
    Finished,

    /// <summary>Always last when the engine could not go on with the sequence. Its blocks are free.</summary>
    Failed,
}
