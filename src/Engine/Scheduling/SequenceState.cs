namespace Serving.Engine.Scheduling;

/// <summary>
/// Where a sequence is in its life. Every value from <see cref="FinishedStop"/> on is an end: it holds no blocks any more.
/// </summary>
public enum SequenceState
{
    /// <summary>Not yet admitted; holds no blocks.</summary>
    Waiting,

    /// <summary>Holds its prompt's blocks, into which somebody else may write.</summary>
    WaitingForRemoteKv,

    /// <summary>Takes part in steps.</summary>
    Running,

    /// <summary>Was running and lost its blocks to an older sequence; computes its tokens again once there is room.</summary>
    Preempted,

    /// <summary>Its prompt is computed, nothing is left to do, and somebody else reads its blocks.</summary>
    PrefillComputed,

    /// <summary>Sampled an end token, or had no more to compute (<see cref="SequenceWork.Embed"/>).</summary>
    FinishedStop,

    /// <summary>Reached its token limit.</summary>
    FinishedLength,

    /// <summary>Its prompt was computed and its blocks released by the caller.</summary>
    FinishedReleased,

    /// <summary>Given up by the caller.</summary>
    FinishedCancelled,

    /// <summary>Its deadline passed.</summary>
    FinishedDeadline,

    /// <summary>The step it was part of failed, or the engine stopped.</summary>
    FinishedFailed,
}
