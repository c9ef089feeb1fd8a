namespace Serving.Engine;

/// <summary>A sequence inside one engine; never reused while the process lives.</summary>
public readonly record struct SequenceId(long Value);

/// <summary>A KV block of one engine's pool, from 0.</summary>
public readonly record struct BlockId(int Value)
{
    /// <summary>No block: a place that a sequence holds none for.</summary>
    public static BlockId None { get; } = new(-1);
}
