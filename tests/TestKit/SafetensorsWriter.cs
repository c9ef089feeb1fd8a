using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Serving.TestKit;

/// <summary>Writes small safetensors files, right ones and, on request, wrong ones.</summary>
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
        var data = new byte[shape.Aggregate(sizeof(float), (long product, long size) => product * size)];
        for (int i = 0; i < data.Length; i += sizeof(float))
        {
            BitConverter.TryWriteBytes(data.AsSpan(i), random.NextSingle() - 0.5f);
        }

        return Add(name, "F32", shape, data);
    }

    /// <summary>The tensors' names in the order of the file.</summary>
    public IEnumerable<string> Names => _tensors.Select(tensor => tensor.Name);

    /// <summary>The same tensors in files of their own.</summary>
    public SafetensorsWriter[] Split(int count)
    {
        var parts = new SafetensorsWriter[count];
        for (int i = 0; i < count; i++)
        {
            parts[i] = new SafetensorsWriter();
            parts[i]._tensors.AddRange(_tensors[(_tensors.Count * i / count)..(_tensors.Count * (i + 1) / count)]);
        }

        return parts;
    }

    public void Write(string path) => File.WriteAllBytes(path, ToArray());

    public byte[] ToArray()
    {
        var directory = new Dictionary<string, object> { ["__metadata__"] = new Dictionary<string, string> { ["format"] = "pt" } };
        long offset = 0;
        foreach ((string name, string type, long[] shape, byte[] data) in _tensors)
        {
            directory.Add(name, new { dtype = type, shape, data_offsets = new[] { offset, offset + data.Length } });
            offset += data.Length;
        }

        string json = JsonSerializer.Serialize(directory);
        return ToArray(json.PadRight((json.Length + 7) / 8 * 8), [.. _tensors.SelectMany(tensor => tensor.Data)]);
    }

    /// <summary>A file of any directory and data.</summary>
    /// <param name="directoryBytes">The length that the file states; null for the true one.</param>
    public static byte[] ToArray(string directory, byte[] data, ulong? directoryBytes = null)
    {
        byte[] json = Encoding.UTF8.GetBytes(directory);
        return [.. BitConverter.GetBytes(directoryBytes ?? (ulong)json.Length), .. json, .. data];
    }
}
