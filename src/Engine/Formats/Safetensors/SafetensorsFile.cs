using System.Text.Json;

namespace Serving.Engine.Formats.Safetensors;

/// <summary>
/// A safetensors file, memory-mapped (https://github.com/huggingface/safetensors#format): eight bytes of length, a JSON directory, the tensors. Opening it checks the
/// directory, so that whoever reads a tensor needs no check of his own. Every <see cref="ModelTensor"/> is valid until the file is disposed.
/// </summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private const int LengthBytes = sizeof(ulong);

    // The bound of the format's own reader.
    private const ulong DirectoryBytesMax = 100_000_000;
    private const int DimensionsMax = 8;
    private const string Metadata = "__metadata__";

    private readonly MappedFile _file;
    private readonly int _directoryBytes;
    private readonly Dictionary<string, ModelTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _unsupported = new(StringComparer.Ordinal);

    private SafetensorsFile(MappedFile file)
    {
        _file = file;
        _directoryBytes = ReadLength();
        ReadDirectory();
    }

    public string Path => _file.Path;

    internal MappedFile Mapping => _file;

    public long Length => _file.Length;

    public DateTime LastWriteTimeUtc => _file.LastWriteTimeUtc;

    /// <summary>The tensors by name; those of element types that no model computes with are left out.</summary>
    public IReadOnlyDictionary<string, ModelTensor> Tensors => _tensors;

    /// <summary>Length and directory as they lie in the file.</summary>
    public ReadOnlySpan<byte> DirectoryBytes => new(_file.Data, LengthBytes + _directoryBytes);

    private long DataBytes => _file.Length - LengthBytes - _directoryBytes;

    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="ModelFormatException">It is not a safetensors file that this reader can trust.</exception>
    public static SafetensorsFile Open(string path)
    {
        MappedFile file = MappedFile.Open(path);
        try
        {
            return new SafetensorsFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The tensor of that name, or null.</summary>
    /// <exception cref="ModelFormatException">It is there, in an element type that is not supported.</exception>
    public ModelTensor? Find(string name)
    {
        if (_unsupported.TryGetValue(name, out string? type))
        {
            throw Error($"tensor {name}", $"has the element type {type}, which is not supported; supported: F32, F16, BF16, and U8, I8 and I32 for what is no weight by itself");
        }

        return _tensors.GetValueOrDefault(name);
    }

    /// <summary>Whether the file has a tensor of that name, of whatever type.</summary>
    public bool Contains(string name) => _tensors.ContainsKey(name) || _unsupported.ContainsKey(name);

    public void Dispose() => _file.Dispose();

    private int ReadLength()
    {
        ForeignFile.Refuse(_file);
        if (_file.Length < LengthBytes)
        {
            throw Error("the length of the directory", $"needs {LengthBytes} bytes, but the file has only {_file.Length}");
        }

        ulong length = *(ulong*)_file.Data;
        if (length > DirectoryBytesMax || length > (ulong)(_file.Length - LengthBytes))
        {
            throw Error(
                "the length of the directory",
                $"is {length}, but the file has {_file.Length} bytes and a directory at most {DirectoryBytesMax}: it is cut off or no safetensors file");
        }

        return (int)length;
    }

    private void ReadDirectory()
    {
        var bytes = new byte[_directoryBytes];
        new ReadOnlySpan<byte>(_file.Data + LengthBytes, _directoryBytes).CopyTo(bytes);
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw Error("the directory", "is no JSON object");
            }

            var extents = new List<(long Begin, long End, string Name)>();
            foreach (JsonProperty entry in document.RootElement.EnumerateObject())
            {
                if (entry.Name == Metadata)
                {
                    CheckMetadata(entry.Value);
                }
                else
                {
                    ReadTensor(entry.Name, entry.Value, extents);
                }
            }

            CheckExtents(extents);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a name with half a surrogate pair.
            throw Error("the directory", $"is no JSON that can be read: {exception.Message.TrimEnd('.')}");
        }
    }

    private void ReadTensor(string name, JsonElement entry, List<(long Begin, long End, string Name)> extents)
    {
        string field = $"tensor {name}";
        if (entry.ValueKind != JsonValueKind.Object
            || !entry.TryGetProperty("dtype", out JsonElement typeName) || typeName.ValueKind != JsonValueKind.String
            || !entry.TryGetProperty("shape", out JsonElement dimensions) || dimensions.ValueKind != JsonValueKind.Array
            || !entry.TryGetProperty("data_offsets", out JsonElement offsets) || offsets.ValueKind != JsonValueKind.Array || offsets.GetArrayLength() != 2)
        {
            throw Error(field, "lacks its dtype, its shape or its two data_offsets");
        }

        long begin = Integer(field, "data_offsets[0]", offsets[0], DataBytes);
        long end = Integer(field, "data_offsets[1]", offsets[1], DataBytes);
        if (begin > end)
        {
            throw Error(field, $"has data_offsets [{begin}, {end}], of which the second is before the first");
        }

        (GgmlType? type, int elementBytes) = TypeOf(typeName.GetString()!);
        long[] shape = ReadShape(field, dimensions);
        extents.Add((begin, end, name));
        if (elementBytes > 0)
        {
            CheckByteCount(field, shape, elementBytes, end - begin);
        }

        if (type is null || end == begin)
        {
            _unsupported.Add(name, end == begin ? $"{typeName.GetString()} and no elements" : typeName.GetString()!);
            return;
        }

        nint data = (nint)(_file.Data + LengthBytes + _directoryBytes + begin);
        _tensors.Add(name, new ModelTensor(name, type.Value, shape, data, end - begin, Path, LengthBytes));
    }

    private long[] ReadShape(string field, JsonElement dimensions)
    {
        int count = dimensions.GetArrayLength();
        if (count > DimensionsMax)
        {
            throw Error(field, $"has {count} dimensions, expected at most {DimensionsMax}");
        }

        var shape = new long[Math.Max(1, count)];
        shape[0] = 1; // a single number is a vector of one
        for (int i = 0; i < count; i++)
        {
            shape[i] = Integer(field, $"shape[{i}]", dimensions[i], long.MaxValue);
        }

        return shape;
    }

    private long Integer(string field, string name, JsonElement value, long max) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= 0 && number <= max
            ? number
            : throw Error(field, $"has the {name} {value.GetRawText()}, expected 0 to {max}");

    private void CheckByteCount(string field, long[] shape, int elementBytes, long byteCount)
    {
        UInt128 expected = (UInt128)elementBytes;
        foreach (long dimension in shape)
        {
            // Below 2^63 each: the product is checked before it can exceed 128 bits.
            expected *= (UInt128)dimension;
            if (expected > (UInt128)_file.Length)
            {
                throw Error(field, $"has the shape [{string.Join(", ", shape)}], more than the whole file of {_file.Length} bytes holds");
            }
        }

        if (expected != (UInt128)byteCount)
        {
            throw Error(field, $"has the shape [{string.Join(", ", shape)}], which takes {expected} bytes, but {byteCount} bytes of data");
        }
    }

    /// <summary>The tensors lie one behind the other and fill the file: the format allows no byte that belongs to two, and none that belongs to nobody.</summary>
    private void CheckExtents(List<(long Begin, long End, string Name)> extents)
    {
        extents.Sort((a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        long end = 0;
        string last = "the directory";
        foreach ((long Begin, long End, string Name) extent in extents)
        {
            if (extent.Begin != end)
            {
                throw Error($"tensor {extent.Name}", $"begins at {extent.Begin}, but {last} ends at {end}; tensors may neither overlap nor leave gaps");
            }

            end = extent.End;
            last = $"tensor {extent.Name}";
        }

        if (end != DataBytes)
        {
            throw Error(last, $"ends at {end}, but the file holds {DataBytes} bytes of tensor data; it was not written to the end, or something was appended to it");
        }
    }

    private void CheckMetadata(JsonElement metadata)
    {
        if (metadata.ValueKind != JsonValueKind.Object)
        {
            throw Error(Metadata, "is no JSON object");
        }

        foreach (JsonProperty entry in metadata.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.String)
            {
                throw Error($"{Metadata}.{entry.Name}", "is no string");
            }
        }
    }

    // The types that nothing computes with keep their size, so that a directory that lies about them is seen.
    private static (GgmlType? Type, int ElementBytes) TypeOf(string name) => name switch
    {
        "F32" => (GgmlType.F32, 4),
        "F16" => (GgmlType.F16, 2),
        "BF16" => (GgmlType.BF16, 2),
        "U8" or "I8" => (GgmlType.I8, 1),
        "I32" => (GgmlType.I32, 4),
        "BOOL" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" => (null, 1),
        "I16" or "U16" => (null, 2),
        "U32" => (null, 4),
        "F64" or "I64" or "U64" => (null, 8),
        _ => (null, 0),
    };

    private ModelFormatException Error(string field, string problem) => new(Path, LengthBytes, field, problem);
}
