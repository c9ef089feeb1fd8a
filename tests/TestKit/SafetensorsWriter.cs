using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Serving.TestKit;

/// <summary>Writes small safetensors files.</summary>
public sealed class SafetensorsWriter
{
    private readonly List<(string Name, string Type, long[] Shape, byte[] Data)> _tensors = [];

    public SafetensorsWriter Add(string name, string type, long[] shape, byte[] data)
    {
        _tensors.Add((name, type, shape, data));
        return this;
    }

    /// <summary>An F32 tensor.</summary>
    public SafetensorsWriter Add(string name, float[] values, params long[] shape) => Add(name, "F32", shape, MemoryMarshal.AsBytes<float>(values).ToArray());

    /// <summary>An F32 tensor of pseudo-random numbers in [-0.5, 0.5).</summary>
    public SafetensorsWriter Add(string name, Random random, params long[] shape)
    {
        var values = new float[shape.Aggregate(1L, (product, size) => product * size)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = random.NextSingle() - 0.5f;
        }

        return Add(name, values, shape);
    }

    public void Write(string path)
    {
        var header = new Dictionary<string, object>();
        int offset = 0;
        foreach ((string name, string type, long[] shape, byte[] data) in _tensors)
        {
            header.Add(name, new { dtype = type, shape, data_offsets = new[] { offset, offset + data.Length } });
            offset += data.Length;
        }

        string json = JsonSerializer.Serialize(header);
        byte[] text = Encoding.UTF8.GetBytes(json.PadRight((json.Length + 7) & -8));
        byte[] length = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)text.Length);
        File.WriteAllBytes(path, [.. length, .. text, .. _tensors.SelectMany(tensor => tensor.Data)]);
    }
}
