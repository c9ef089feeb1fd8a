namespace Serving.Transfer.Tests;

/// <summary>KV storage of one sequence, as a source of known bytes or as a sink that keeps what it is given.</summary>
internal sealed class TestMemory(KvTransferShape shape) : IKvSource, IKvSink
{
    private readonly byte[] _bytes = new byte[shape.Bytes];
    private int _writes;

    public int Writes => Volatile.Read(ref _writes);

    /// <summary>Called at the start of each read, with layer and block.</summary>
    public Action<int, int>? OnRead { get; init; }

    /// <summary>Called at the start of each write, with layer and block.</summary>
    public Action<int, int>? OnWrite { get; init; }

    public ReadOnlySpan<byte> Bytes => _bytes;

    public static TestMemory Filled(KvTransferShape shape, int seed = 1)
    {
        TestMemory memory = new(shape);
        new Random(seed).NextBytes(memory._bytes);
        return memory;
    }

    public void Read(int layer, int blockIndex, int slots, Span<byte> destination)
    {
        OnRead?.Invoke(layer, blockIndex);
        Part(layer, blockIndex, slots).CopyTo(destination);
    }

    public void Write(int layer, int blockIndex, int slots, ReadOnlySpan<byte> source)
    {
        OnWrite?.Invoke(layer, blockIndex);
        Interlocked.Increment(ref _writes);
        source.CopyTo(Part(layer, blockIndex, slots));
    }

    private Span<byte> Part(int layer, int block, int slots)
    {
        long perLayer = (long)shape.Tokens * shape.BytesPerTokenPerLayer;
        int start = checked((int)(layer * perLayer + (long)block * shape.LayerBlockBytes));
        return _bytes.AsSpan(start, slots * shape.BytesPerTokenPerLayer);
    }
}
