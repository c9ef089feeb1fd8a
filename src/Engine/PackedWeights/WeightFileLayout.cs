using System.Buffers.Binary;
using System.IO.Hashing;

namespace Serving.Engine.PackedWeights;

/// <summary>
/// A file of packed weights. Everything in front of the hashes follows from the model and the plan, so a reader compares it and interprets nothing:
/// <code>
///  0  8  "SRVPACK\n"
///  8  u32 version of this layout
/// 12  u32 bytes of a chunk
/// 16  u128 key: hash of the model's content and of the plan
/// 32  u64 bytes of the directory
/// 40  u64 where the data begin, a multiple of a page
/// 48  u64 bytes of the data
/// 56  the directory (<see cref="PackingPlan.ToBytes"/>)
///  …  u64 for each chunk of the data: its XxHash3
///  …  u64 XxHash3 of everything before, and zeros up to the data
///  …  the data: the matrices, as the directory says
/// </code>
/// Numbers are little-endian.
/// </summary>
internal sealed class WeightFileLayout
{
    private const uint Version = 1;
    private const int PrefixBytes = 56;
    private const int PageBytes = 4096;

    private readonly byte[] _head;

    public WeightFileLayout(UInt128 content, PackingPlan plan)
    {
        byte[] directory = plan.ToBytes();
        DataBytes = plan.ByteCount;
        HashCount = ChunkHashes.Count(DataBytes);
        _head = new byte[PrefixBytes + directory.Length];
        DataOffset = (_head.Length + ((HashCount + 1) * sizeof(ulong)) + PageBytes - 1) & -PageBytes;

        var key = new XxHash128();
        key.Append(BitConverter.GetBytes(content));
        key.Append(directory);
        Key = key.GetCurrentHashAsUInt128();

        Span<byte> head = _head;
        "SRVPACK\n"u8.CopyTo(head);
        BinaryPrimitives.WriteUInt32LittleEndian(head[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(head[12..], ChunkHashes.ChunkBytes);
        BinaryPrimitives.WriteUInt128LittleEndian(head[16..], Key);
        BinaryPrimitives.WriteInt64LittleEndian(head[32..], directory.Length);
        BinaryPrimitives.WriteInt64LittleEndian(head[40..], DataOffset);
        BinaryPrimitives.WriteInt64LittleEndian(head[48..], DataBytes);
        directory.CopyTo(head[PrefixBytes..]);
    }

    /// <summary>Tells apart what the file holds from what any other does.</summary>
    public UInt128 Key { get; }

    /// <summary>Where the data begin.</summary>
    public int DataOffset { get; }

    public long DataBytes { get; }

    public long FileBytes => DataOffset + DataBytes;

    /// <summary>Chunks of the data.</summary>
    public int HashCount { get; }

    /// <summary>Everything before the data, given the hashes of their chunks.</summary>
    public byte[] Front(ReadOnlySpan<ulong> hashes)
    {
        byte[] front = new byte[DataOffset];
        _head.CopyTo(front, 0);
        Span<byte> rest = front.AsSpan(_head.Length);
        foreach (ulong hash in hashes)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(rest, hash);
            rest = rest[sizeof(ulong)..];
        }

        BinaryPrimitives.WriteUInt64LittleEndian(rest, XxHash3.HashToUInt64(front.AsSpan(0, front.Length - rest.Length)));
        return front;
    }
}
