using System.Buffers.Binary;
using System.IO.Hashing;

namespace Serving.Transfer.Wire;

/// <summary>
/// The fixed head of every frame, little-endian:
/// <code>
///  0  u64  checksum   XxHash3 over everything after it, payload included, seeded per connection
///  8  u8   type
///  9  u8   status     of an Abort
/// 10  u16  slots      of Data
/// 12  i32  layer      of Data
/// 16  i32  block      of Data
/// 20  i32  length     of the payload that follows
/// 24  u32  generation of the lease: which attempt the frame belongs to
/// 28  u32  zero
/// 32  u128 lease
/// </code>
/// The seed comes from the handshake, so a frame of another connection never passes as one of this. The checksum finds damage; it is no
/// defence against someone who can alter packets, against whom the network between workers has to be closed.
/// </summary>
internal readonly record struct FrameHeader(
    FrameType Type,
    LeaseId Lease,
    uint Generation = 0,
    int Length = 0,
    int Layer = 0,
    int Block = 0,
    int Slots = 0,
    TransferStatus Status = TransferStatus.Completed)
{
    public const int Size = 48;

    private const int ChecksumSize = 8;

    public static FrameHeader Read(ReadOnlySpan<byte> frame) => new(
        (FrameType)frame[8],
        LeaseId.Read(frame[32..]),
        BinaryPrimitives.ReadUInt32LittleEndian(frame[24..]),
        BinaryPrimitives.ReadInt32LittleEndian(frame[20..]),
        BinaryPrimitives.ReadInt32LittleEndian(frame[12..]),
        BinaryPrimitives.ReadInt32LittleEndian(frame[16..]),
        BinaryPrimitives.ReadUInt16LittleEndian(frame[10..]),
        (TransferStatus)frame[9]);

    /// <summary>True when the checksum of a whole frame, head and payload, is right.</summary>
    public static bool IsIntact(ReadOnlySpan<byte> frame, long seed) =>
        BinaryPrimitives.ReadUInt64LittleEndian(frame) == XxHash3.HashToUInt64(frame[ChecksumSize..], seed);

    /// <summary>Writes the head in front of a payload that already lies in <paramref name="frame"/>, and the checksum over both.</summary>
    public void Seal(Span<byte> frame, long seed)
    {
        frame[8] = (byte)Type;
        frame[9] = (byte)Status;
        BinaryPrimitives.WriteUInt16LittleEndian(frame[10..], (ushort)Slots);
        BinaryPrimitives.WriteInt32LittleEndian(frame[12..], Layer);
        BinaryPrimitives.WriteInt32LittleEndian(frame[16..], Block);
        BinaryPrimitives.WriteInt32LittleEndian(frame[20..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[24..], Generation);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[28..], 0);
        Lease.Write(frame[32..]);
        BinaryPrimitives.WriteUInt64LittleEndian(frame, XxHash3.HashToUInt64(frame[ChecksumSize..(Size + Length)], seed));
    }
}
