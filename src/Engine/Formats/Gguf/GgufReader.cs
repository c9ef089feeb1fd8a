using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Serving.Engine.Formats.Gguf;

/// <summary>
/// A cursor over a mapped GGUF file that never leaves it. Every count is held against the bytes that are left before anything is allocated for it,
/// so a lying file costs no more memory than its own size justifies.
/// </summary>
internal sealed unsafe class GgufReader(string path, byte* data, long length)
{
    private const int NameBytesMax = 65535;

    private static readonly UTF8Encoding _strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public long Position { get; private set; }

    public long Remaining => length - Position;

    public uint ReadUInt32(string field) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, field));

    public int ReadInt32(string field) => BinaryPrimitives.ReadInt32LittleEndian(Take(4, field));

    public ulong ReadUInt64(string field) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, field));

    /// <summary>Reads a count of things that take at least <paramref name="bytesEachMin"/> bytes each.</summary>
    public int ReadCount(string field, int bytesEachMin)
    {
        long start = Position;
        ulong count = ReadUInt64(field);
        if (count > (ulong)(Remaining / bytesEachMin) || count > (ulong)Array.MaxLength)
        {
            throw Error(start, field, $"says {count}, but only {Remaining} bytes are left in the file");
        }

        return (int)count;
    }

    /// <summary>Reads a string. Text of models may hold broken UTF-8 and is then mended; a name must be right, since it is a key.</summary>
    public string ReadString(string field, bool isName = false)
    {
        long start = Position;
        int count = ReadCount($"the length of {field}", bytesEachMin: 1);
        ReadOnlySpan<byte> bytes = Take(count, field);
        if (!isName)
        {
            return Encoding.UTF8.GetString(bytes);
        }

        if (count > NameBytesMax)
        {
            throw Error(start, field, $"has {count} bytes, more than the {NameBytesMax} of a name");
        }

        try
        {
            return _strictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Error(start, field, "is not valid UTF-8");
        }
    }

    public GgufValue ReadValue(string key)
    {
        long start = Position;
        var type = (GgufValueType)ReadInt32($"the type of {key}");
        long valueStart = Position;
        object value = type switch
        {
            GgufValueType.UInt8 => Take(1, key)[0],
            GgufValueType.Int8 => (sbyte)Take(1, key)[0],
            GgufValueType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(Take(2, key)),
            GgufValueType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(Take(2, key)),
            GgufValueType.UInt32 => ReadUInt32(key),
            GgufValueType.Int32 => ReadInt32(key),
            GgufValueType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(Take(4, key)),
            GgufValueType.Bool => Take(1, key)[0] != 0,
            GgufValueType.String => ReadString(key),
            GgufValueType.Array => ReadArray(key),
            GgufValueType.UInt64 => ReadUInt64(key),
            GgufValueType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(Take(8, key)),
            GgufValueType.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(Take(8, key)),
            _ => throw Error(start, $"the type of {key}", $"is {(int)type}, which GGUF does not define"),
        };
        return new GgufValue(type, value, valueStart);
    }

    public ModelFormatException Error(long offset, string field, string problem) => new(path, offset, field, problem);

    private Array ReadArray(string key)
    {
        long start = Position;
        var type = (GgufValueType)ReadInt32($"the element type of {key}");
        return type switch
        {
            GgufValueType.UInt8 => ReadNumbers<byte>(key),
            GgufValueType.Int8 => ReadNumbers<sbyte>(key),
            GgufValueType.UInt16 => ReadNumbers<ushort>(key),
            GgufValueType.Int16 => ReadNumbers<short>(key),
            GgufValueType.UInt32 => ReadNumbers<uint>(key),
            GgufValueType.Int32 => ReadNumbers<int>(key),
            GgufValueType.Float32 => ReadNumbers<float>(key),
            GgufValueType.Bool => Array.ConvertAll(ReadNumbers<byte>(key), static value => value != 0),
            GgufValueType.String => ReadStrings(key),
            GgufValueType.UInt64 => ReadNumbers<ulong>(key),
            GgufValueType.Int64 => ReadNumbers<long>(key),
            GgufValueType.Float64 => ReadNumbers<double>(key),
            GgufValueType.Array => throw Error(start, key, "is an array of arrays, which no known model has"),
            _ => throw Error(start, $"the element type of {key}", $"is {(int)type}, which GGUF does not define"),
        };
    }

    private T[] ReadNumbers<T>(string key)
        where T : unmanaged
    {
        int count = ReadCount($"the length of {key}", sizeof(T));
        return MemoryMarshal.Cast<byte, T>(Take((long)count * sizeof(T), key)).ToArray();
    }

    private string[] ReadStrings(string key)
    {
        var strings = new string[ReadCount($"the length of {key}", bytesEachMin: 8)];
        for (int i = 0; i < strings.Length; i++)
        {
            strings[i] = ReadString(key);
        }

        return strings;
    }

    private ReadOnlySpan<byte> Take(long count, string field)
    {
        if (count > Remaining || count > int.MaxValue)
        {
            throw Error(Position, field, $"needs {count} bytes, but only {Remaining} are left in the file");
        }

        var taken = new ReadOnlySpan<byte>(data + Position, (int)count);
        Position += count;
        return taken;
    }
}
