namespace Serving.Engine.Scheduling;

/// <summary>What follows from a sequence's work.</summary>
public static class SequenceWorks
{
    /// <summary>Whether tokens are sampled.</summary>
    public static bool HasAnswer(this SequenceWork work) => work is SequenceWork.Generate or SequenceWork.GenerateFromRemoteKv;
}
