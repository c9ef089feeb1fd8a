using System.Buffers.Binary;
using System.Numerics;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Formats.Gguf;

/// <summary>
/// Header, metadata and tensor directory of a GGUF v3 file, checked so that whoever reads a tensor needs no check of his own.
/// The layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
/// </summary>
internal sealed unsafe class GgufDirectory
{
    private const uint Magic = 0x46554747; // "GGUF" as a little-endian number
    private const uint Version = 3;
    private const int DimensionsMax = 4;
    private const int AlignmentDefault = 32;
    private const int KeyValueBytesMin = 8 + 4 + 1;
    private const int TensorBytesMin = 8 + 4 + 8 + 4 + 8;
    private const string AlignmentKey = "general.alignment";

    private readonly string _path;
    private readonly long _fileLength;
    private readonly Dictionary<string, GgufValue> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, GgufTensor> _tensorsByName = new(StringComparer.Ordinal);
    private readonly List<GgufTensor> _tensors = [];

    private GgufDirectory(string path, long fileLength)
    {
        _path = path;
        _fileLength = fileLength;
    }

    public IReadOnlyDictionary<string, GgufValue> Values => _values;

    public IReadOnlyDictionary<string, GgufTensor> TensorsByName => _tensorsByName;

    public IReadOnlyList<GgufTensor> Tensors => _tensors;

    /// <summary>Bytes up to the end of the tensor directory.</summary>
    public int ByteCount { get; private set; }

    public static GgufDirectory Read(string path, byte* data, long length)
    {
        var directory = new GgufDirectory(path, length);
        var reader = new GgufReader(path, data, length);
        int tensorCount = ReadHeader(reader, path, out int valueCount);
        directory.ReadValues(reader, valueCount);
        directory.ReadTensors(reader, tensorCount);
        return directory;
    }

    private static int ReadHeader(GgufReader reader, string path, out int valueCount)
    {
        if (reader.ReadUInt32("the magic number") != Magic)
        {
            string hint = path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) ? "; give the folder that holds the safetensors and their config.json" : "";
            throw reader.Error(0, "the magic number", $"is not GGUF's: this is no GGUF file{hint}");
        }

        uint version = reader.ReadUInt32("the version");
        if (version != Version)
        {
            string hint = BinaryPrimitives.ReverseEndianness(version) == Version ? ": this is a big-endian file; convert it to little-endian" : "";
            throw reader.Error(4, "the version", $"is {version}, expected {Version}{hint}");
        }

        int tensorCount = reader.ReadCount("the tensor count", TensorBytesMin);
        valueCount = reader.ReadCount("the metadata count", KeyValueBytesMin);
        return tensorCount;
    }

    private void ReadValues(GgufReader reader, int count)
    {
        for (int i = 0; i < count; i++)
        {
            long start = reader.Position;
            string key = reader.ReadString($"metadata key {i}", isName: true);
            if (!_values.TryAdd(key, reader.ReadValue(key)))
            {
                throw reader.Error(start, key, "is there twice");
            }
        }
    }

    private void ReadTensors(GgufReader reader, int count)
    {
        int alignment = ReadAlignment();
        var entries = new TensorEntry[count];
        for (int i = 0; i < count; i++)
        {
            entries[i] = ReadEntry(reader, i);
        }

        if (reader.Position > int.MaxValue)
        {
            throw reader.Error(0, "the header", $"takes {reader.Position} bytes, more than any model's");
        }

        ByteCount = (int)reader.Position;
        long dataStart = reader.Position + alignment - 1;
        dataStart -= dataStart % alignment;
        foreach (TensorEntry entry in entries)
        {
            GgufTensor tensor = Check(entry, dataStart, alignment);
            if (!_tensorsByName.TryAdd(tensor.Name, tensor))
            {
                throw Error(entry, "is there twice");
            }

            _tensors.Add(tensor);
        }
    }

    private int ReadAlignment()
    {
        var metadata = new GgufMetadata(_path, _values);
        int alignment = metadata.FindInt32(AlignmentKey, 1, 1 << 20) ?? AlignmentDefault;
        return BitOperations.IsPow2(alignment) ? alignment : throw metadata.Invalid(AlignmentKey, $"is {alignment}, expected a power of two");
    }

    private static TensorEntry ReadEntry(GgufReader reader, int index)
    {
        long start = reader.Position;
        string name = reader.ReadString($"the name of tensor {index}", isName: true);
        uint dimensionCount = reader.ReadUInt32($"the dimension count of tensor {name}");
        if (dimensionCount is 0 or > DimensionsMax)
        {
            throw reader.Error(start, $"tensor {name}", $"has {dimensionCount} dimensions, expected 1 to {DimensionsMax}");
        }

        var dimensions = new long[dimensionCount];
        for (int i = 0; i < dimensions.Length; i++)
        {
            dimensions[i] = (long)reader.ReadUInt64($"dimension {i} of tensor {name}");
        }

        int type = reader.ReadInt32($"the type of tensor {name}");
        ulong offset = reader.ReadUInt64($"the offset of tensor {name}");
        return new TensorEntry(name, dimensions, (GgmlType)type, offset, start);
    }

    private GgufTensor Check(in TensorEntry entry, long dataStart, int alignment)
    {
        if (!Enum.IsDefined(entry.Type))
        {
            throw Error(entry, $"has the element type {(int)entry.Type}, which is not supported");
        }

        long byteCount = CountBytes(entry);
        if (entry.Offset % (ulong)alignment != 0)
        {
            throw Error(entry, $"starts at {entry.Offset}, which is not a multiple of the alignment {alignment}");
        }

        long dataBytes = Math.Max(0, _fileLength - dataStart);
        if (entry.Offset > (ulong)dataBytes || byteCount > dataBytes - (long)entry.Offset)
        {
            throw Error(entry, $"has {byteCount} bytes from {entry.Offset}, but the file holds only {dataBytes} bytes of tensor data");
        }

        return new GgufTensor(entry.Name, entry.Type, entry.Dimensions, dataStart + (long)entry.Offset, byteCount, entry.Start);
    }

    /// <summary>The bytes that the dimensions stand for; at most the file's length, so that no later product of dimensions overflows.</summary>
    private long CountBytes(in TensorEntry entry)
    {
        int blockElements = BlockDecoder.BlockElements(entry.Type);
        if (entry.Dimensions[0] % blockElements != 0)
        {
            throw Error(entry, $"has rows of {entry.Dimensions[0]} elements, which is not a multiple of the {blockElements} elements of a {entry.Type} block");
        }

        UInt128 bytes = (UInt128)BlockDecoder.BlockBytes(entry.Type);
        for (int i = 0; i < entry.Dimensions.Length; i++)
        {
            long dimension = entry.Dimensions[i];
            if (dimension < 1)
            {
                throw Error(entry, $"has the dimension {(ulong)dimension}, expected 1 to {long.MaxValue}");
            }

            // Below 2^63 before, times less than 2^63: no overflow of 128 bits.
            bytes *= (UInt128)(i == 0 ? dimension / blockElements : dimension);
            if (bytes > (UInt128)_fileLength)
            {
                throw Error(entry, $"has the dimensions [{string.Join(", ", entry.Dimensions)}], more than the whole file of {_fileLength} bytes holds");
            }
        }

        return (long)bytes;
    }

    private ModelFormatException Error(in TensorEntry entry, string problem) => new(_path, entry.Start, $"tensor {entry.Name}", problem);

    private readonly record struct TensorEntry(string Name, long[] Dimensions, GgmlType Type, ulong Offset, long Start);
}
