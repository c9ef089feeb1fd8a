namespace Serving.Text.Streaming;

/// <summary>What a <see cref="StopSequenceMatcher"/> makes of a piece of text.</summary>
/// <param name="Text">What may be sent now.</param>
/// <param name="StopSequence">The stop sequence that ended the text, or null while none has.</param>
public readonly record struct StopMatch(string Text, string? StopSequence)
{
    public bool IsStopped => StopSequence is not null;
}
