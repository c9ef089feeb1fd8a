using System.Buffers.Binary;

namespace Serving.Transfer.Wire;

/// <summary>The payload of an End frame: what the sender says it sent.</summary>
internal readonly record struct FrameTotals(long Bytes, int Frames)
{
    public const int Size = 12;

    public static FrameTotals Read(ReadOnlySpan<byte> wire) =>
        new(BinaryPrimitives.ReadInt64LittleEndian(wire), BinaryPrimitives.ReadInt32LittleEndian(wire[8..]));

    public void Write(Span<byte> wire)
    {
        BinaryPrimitives.WriteInt64LittleEndian(wire, Bytes);
        BinaryPrimitives.WriteInt32LittleEndian(wire[8..], Frames);
    }
}
