namespace Serving.Engine.KvCache;

/// <summary>What became of a request for blocks.</summary>
public enum AllocationResult
{
    Allocated,

    /// <summary>Fewer blocks are free than were asked for; none was taken.</summary>
    NoBlocks,
}
