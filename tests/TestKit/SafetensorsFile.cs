using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Serving.TestKit;

/// <summary>Reads the tensors of a golden file (trusted, small) by name.</summary>
public sealed class SafetensorsFile
{
    private readonly byte[] _bytes;
    private readonly JsonElement _header;
    private readonly int _dataStart;

    public SafetensorsFile(string path)
    {
        _bytes = File.ReadAllBytes(path);
        int headerBytes = (int)BinaryPrimitives.ReadUInt64LittleEndian(_bytes);
        _header = JsonDocument.Parse(_bytes.AsMemory(8, headerBytes)).RootElement;
        _dataStart = 8 + headerBytes;
    }

    public bool Contains(string name) => _header.TryGetProperty(name, out _);

    public int[] Shape(string name) => [.. _header.GetProperty(name).GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];

    /// <summary>A tensor of type F32 or F16.</summary>
    public float[] Floats(string name) => _header.GetProperty(name).GetProperty("dtype").GetString() == "F16"
        ? Array.ConvertAll(Read<Half>(name, "F16"), value => (float)value)
        : Read<float>(name, "F32");

    /// <summary>A tensor of type I32.</summary>
    public int[] Int32s(string name) => Read<int>(name, "I32");

    private T[] Read<T>(string name, string type)
        where T : unmanaged
    {
        JsonElement entry = _header.GetProperty(name);
        string? actual = entry.GetProperty("dtype").GetString();
        if (actual != type)
        {
            throw new InvalidDataException($"{name} is {actual}, not {type}.");
        }

        int start = entry.GetProperty("data_offsets")[0].GetInt32();
        int end = entry.GetProperty("data_offsets")[1].GetInt32();
        return MemoryMarshal.Cast<byte, T>(_bytes.AsSpan(_dataStart + start, end - start)).ToArray();
    }
}
