namespace Serving.Worker.Loop;

/// <summary>What a caller has asked of the engine for a sequence.</summary>
[Flags]
internal enum SequenceSignals
{
    None = 0,
    Cancel = 1,
    RemoteKvCompleted = 2,
    RemoteKvFailed = 4,
    Release = 8,
}
