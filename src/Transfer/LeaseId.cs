using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Serving.Transfer;

/// <summary>Sixteen random bytes that name one transfer and prove that the receiver asked for it.</summary>
public readonly record struct LeaseId(ulong Low, ulong High)
{
    /// <summary>Bytes of an id.</summary>
    public const int Size = 16;

    public static LeaseId New()
    {
        Span<byte> bytes = stackalloc byte[Size];
        RandomNumberGenerator.Fill(bytes);
        return Read(bytes);
    }

    /// <summary>Reads an id that came from elsewhere; false unless it has exactly <see cref="Size"/> bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out LeaseId lease)
    {
        lease = bytes.Length == Size ? Read(bytes) : default;
        return bytes.Length == Size;
    }

    public byte[] ToByteArray()
    {
        byte[] bytes = new byte[Size];
        Write(bytes);
        return bytes;
    }

    /// <summary>The first half only: enough to follow a transfer in a log, too little to claim it.</summary>
    public override string ToString() => $"{Low:x16}";

    internal static LeaseId Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));

    internal void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, Low);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], High);
    }
}
