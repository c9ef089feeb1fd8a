using System.Diagnostics.CodeAnalysis;
using Serving.Engine.Scheduling;

namespace Serving.Worker.Loop;

/// <summary>A handle to the sequence, or the reason why it was not taken.</summary>
public readonly record struct SubmitResult(SequenceHandle? Handle, Refusal? Refusal)
{
    [MemberNotNullWhen(true, nameof(Handle))]
    [MemberNotNullWhen(false, nameof(Refusal))]
    public bool IsAccepted => Handle is not null;
}
