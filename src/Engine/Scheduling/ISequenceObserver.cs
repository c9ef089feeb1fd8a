namespace Serving.Engine.Scheduling;

/// <summary>Is told, on the scheduler's thread, what happens to a sequence. Must be quick and must not call the scheduler back.</summary>
public interface ISequenceObserver
{
    /// <summary>The sequence holds its prompt's blocks. Told again when it was preempted in between.</summary>
    void OnAdmitted(Sequence sequence);

    /// <summary>A step has computed some of its tokens. Comes before what follows from it.</summary>
    void OnComputed(Sequence sequence);

    /// <summary>All tokens of a <see cref="SequenceWork.PrefillOnly"/> sequence are computed.</summary>
    void OnPrefillComputed(Sequence sequence);

    /// <summary>A token was sampled: the last of <see cref="Sequence.Tokens"/>.</summary>
    void OnToken(Sequence sequence);

    /// <summary>The sequence has reached its end, <see cref="Sequence.State"/>, and its blocks are free.</summary>
    void OnFinished(Sequence sequence);
}
