using System.Text;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Formats.Gguf;

/// <summary>
/// Writes a GGUF v3 file: metadata and the tensor directory are collected, the tensors' data is asked for one at a time while the file is written. The file appears under
/// its name only when it is whole.
/// </summary>
public sealed class GgufFileWriter
{
    private const int Alignment = 32;
    private const int DimensionsMax = 4;

    /// <summary>ggml keeps names in 64 bytes with a zero at the end.</summary>
    private const int TensorNameBytesMax = 63;

    private readonly List<byte[]> _values = [];
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly List<Tensor> _tensors = [];

    public void Set(string key, string value) => Set(key, GgufValueType.String, writer => Write(writer, value));

    public void Set(string key, uint value) => Set(key, GgufValueType.UInt32, writer => writer.Write(value));

    public void Set(string key, float value) => Set(key, GgufValueType.Float32, writer => writer.Write(value));

    public void Set(string key, bool value) => Set(key, GgufValueType.Bool, writer => writer.Write(value));

    public void Set(string key, IReadOnlyList<string> values) => SetArray(key, GgufValueType.String, values, Write);

    public void Set(string key, IReadOnlyList<int> values) => SetArray(key, GgufValueType.Int32, values, (writer, value) => writer.Write(value));

    public void Set(string key, IReadOnlyList<float> values) => SetArray(key, GgufValueType.Float32, values, (writer, value) => writer.Write(value));

    public void Set(string key, IReadOnlyList<bool> values) => SetArray(key, GgufValueType.Bool, values, (writer, value) => writer.Write(value));

    /// <summary>Adds a tensor that is encoded from fp32 rows.</summary>
    /// <param name="type">A format that <see cref="BlockEncoder"/> writes.</param>
    /// <param name="dimensions">One to four, the contiguous one first; that one a multiple of the format's block.</param>
    /// <param name="rows">Called while the file is written.</param>
    /// <param name="source">The file that the values come from, for errors.</param>
    public void Add(string name, GgmlType type, IReadOnlyList<long> dimensions, RowReader rows, string source)
    {
        if (!BlockEncoder.CanEncode(type))
        {
            throw new ArgumentOutOfRangeException(nameof(type), type, "Tensors of this format can only be added as bytes.");
        }

        Add(name, type, dimensions, (stream, cancellation) => TensorEncoding.Write(stream, name, type, dimensions, rows, source, cancellation));
    }

    /// <summary>Adds a tensor whose bytes the caller writes.</summary>
    /// <param name="write">Called while the file is written; must write exactly the bytes that type and dimensions need.</param>
    public void Add(string name, GgmlType type, IReadOnlyList<long> dimensions, Action<Stream, CancellationToken> write)
    {
        if (Encoding.UTF8.GetByteCount(name) > TensorNameBytesMax || !_names.Add(name))
        {
            throw new ArgumentException($"The tensor name {name} has more than {TensorNameBytesMax} bytes or is there twice.", nameof(name));
        }

        int blockElements = BlockDecoder.BlockElements(type);
        if (dimensions.Count is 0 or > DimensionsMax || dimensions[0] % blockElements != 0)
        {
            throw new ArgumentException($"Tensor {name} has the dimensions [{string.Join(", ", dimensions)}], which {type} cannot have.", nameof(dimensions));
        }

        long bytes = BlockDecoder.BlockBytes(type);
        for (int i = 0; i < dimensions.Count; i++)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(dimensions[i], 1, nameof(dimensions));
            bytes = checked(bytes * (i == 0 ? dimensions[i] / blockElements : dimensions[i]));
        }

        _tensors.Add(new Tensor(name, type, [.. dimensions], bytes, write));
    }

    /// <summary>Writes the file, in the place of one that is there already. Whatever fails, nothing half-written is left.</summary>
    /// <exception cref="IOException">The file cannot be written: the folder is missing, the disk is full.</exception>
    /// <exception cref="ModelFormatException">A tensor's values cannot be written in its format.</exception>
    public void Save(string path, CancellationToken cancellation = default)
    {
        string temporary = $"{path}.{Guid.NewGuid():N}.part";
        try
        {
            using (FileStream stream = Create(temporary))
            {
                WriteHeader(stream);
                foreach (Tensor tensor in _tensors)
                {
                    cancellation.ThrowIfCancellationRequested();
                    WriteData(stream, tensor, cancellation);
                }

                stream.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Takes all the room at once, so that a full disk shows before hours of work.</summary>
    private FileStream Create(string path)
    {
        long bytes = 0;
        foreach (byte[] value in _values)
        {
            bytes += value.Length;
        }

        foreach (Tensor tensor in _tensors)
        {
            bytes += Align(tensor.Bytes);
        }

        return new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 1 << 20,
            PreallocationSize = bytes,
        });
    }

    private void WriteHeader(FileStream stream)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((long)_tensors.Count);
        writer.Write((long)_keys.Count);
        _values.ForEach(writer.Write);
        long offset = 0;
        foreach (Tensor tensor in _tensors)
        {
            Write(writer, tensor.Name);
            writer.Write(tensor.Dimensions.Length);
            Array.ForEach(tensor.Dimensions, writer.Write);
            writer.Write((int)tensor.Type);
            writer.Write(offset);
            offset += Align(tensor.Bytes);
        }

        writer.Flush();
        Pad(stream);
    }

    private static void WriteData(FileStream stream, Tensor tensor, CancellationToken cancellation)
    {
        long start = stream.Position;
        tensor.Write(stream, cancellation);
        if (stream.Position - start != tensor.Bytes)
        {
            throw new InvalidOperationException($"Tensor {tensor.Name} needs {tensor.Bytes} bytes, but {stream.Position - start} were written.");
        }

        Pad(stream);
    }

    private static void Pad(FileStream stream)
    {
        Span<byte> zeros = stackalloc byte[Alignment];
        zeros.Clear();
        stream.Write(zeros[..(int)(Align(stream.Position) - stream.Position)]);
    }

    private void SetArray<T>(string key, GgufValueType type, IReadOnlyList<T> values, Action<BinaryWriter, T> write) => Set(key, GgufValueType.Array, writer =>
    {
        writer.Write((int)type);
        writer.Write((long)values.Count);
        foreach (T value in values)
        {
            write(writer, value);
        }
    });

    private void Set(string key, GgufValueType type, Action<BinaryWriter> write)
    {
        if (!_keys.Add(key))
        {
            throw new ArgumentException($"The key {key} is there already.", nameof(key));
        }

        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        Write(writer, key);
        writer.Write((int)type);
        write(writer);
        _values.Add(bytes.ToArray());
    }

    private static void Write(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((long)bytes.Length);
        writer.Write(bytes);
    }

    private static long Align(long position) => (position + Alignment - 1) / Alignment * Alignment;

    private sealed record Tensor(string Name, GgmlType Type, long[] Dimensions, long Bytes, Action<Stream, CancellationToken> Write);
}
