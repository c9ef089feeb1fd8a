using System.Text;

namespace Serving.Kernels.Bench;

/// <summary>A message in Protocol Buffers' wire form, written field by field: enough to make an ONNX model of one node without ONNX's own schema.</summary>
internal sealed class Proto
{
    private const int Varint = 0;
    private const int LengthDelimited = 2;

    private readonly MemoryStream _bytes = new();

    public Proto Integer(int field, long value)
    {
        Write((ulong)field << 3 | Varint);
        Write((ulong)value);
        return this;
    }

    public Proto Bytes(int field, ReadOnlySpan<byte> value)
    {
        Write((ulong)field << 3 | LengthDelimited);
        Write((ulong)value.Length);
        _bytes.Write(value);
        return this;
    }

    public Proto Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public Proto Message(int field, Proto value) => Bytes(field, value.ToArray());

    public byte[] ToArray() => _bytes.ToArray();

    private void Write(ulong value)
    {
        while (value >= 0x80)
        {
            _bytes.WriteByte((byte)(value | 0x80));
            value >>= 7;
        }

        _bytes.WriteByte((byte)value);
    }
}
