using Serving.Engine.Formats;
using Serving.Engine.Formats.Gguf;
using Serving.TestKit;

namespace Serving.Engine.Tests;

public sealed class GgufFileTests
{
    [Fact]
    public void Reads_values_of_every_type_with_their_place()
    {
        using var temporary = new TemporaryFile(new GgufWriter()
            .Set("u8", GgufValueType.UInt8, w => w.Write((byte)250))
            .Set("i8", GgufValueType.Int8, w => w.Write((sbyte)-5))
            .Set("u16", GgufValueType.UInt16, w => w.Write((ushort)60_000))
            .Set("i16", GgufValueType.Int16, w => w.Write((short)-300))
            .Set("u32", 4_000_000_000u)
            .Set("i32", GgufValueType.Int32, w => w.Write(-70_000))
            .Set("u64", GgufValueType.UInt64, w => w.Write(ulong.MaxValue))
            .Set("i64", GgufValueType.Int64, w => w.Write(long.MinValue))
            .Set("f32", 0.5f)
            .Set("f64", GgufValueType.Float64, w => w.Write(0.25))
            .Set("yes", true)
            .Set("text", "héllo")
            .Set("texts", "a", "", "ü")
            .Set("numbers", GgufValueType.Array, w => WriteArray(w, GgufValueType.Int32, 3, () => w.Write(7)))
            .Set("flags", GgufValueType.Array, w => WriteArray(w, GgufValueType.Bool, 2, () => w.Write(true)))
            .ToArray());
        using GgufFile file = GgufFile.Open(temporary.Path);

        object Value(string key) => file.Metadata.TryGet(key, out GgufValue value) ? value.Value : "missing";
        Assert.Equal((byte)250, Value("u8"));
        Assert.Equal((sbyte)-5, Value("i8"));
        Assert.Equal((ushort)60_000, Value("u16"));
        Assert.Equal((short)-300, Value("i16"));
        Assert.Equal(4_000_000_000u, Value("u32"));
        Assert.Equal(-70_000, Value("i32"));
        Assert.Equal(ulong.MaxValue, Value("u64"));
        Assert.Equal(long.MinValue, Value("i64"));
        Assert.Equal(0.5f, Value("f32"));
        Assert.Equal(0.25, Value("f64"));
        Assert.Equal(true, Value("yes"));
        Assert.Equal("héllo", Value("text"));
        Assert.Equal(["a", "", "ü"], Assert.IsType<string[]>(Value("texts")));
        Assert.Equal([7, 7, 7], Assert.IsType<int[]>(Value("numbers")));
        Assert.Equal([true, true], Assert.IsType<bool[]>(Value("flags")));
        Assert.True(file.Metadata.TryGet("u8", out GgufValue first));
        Assert.Equal(4 + 4 + 8 + 8 + 8 + 2 + 4, first.Offset);
    }

    [Fact]
    public void Reads_tensors_where_they_lie()
    {
        float[] numbers = [1, 2, 3, 4, 5, 6];
        byte[] data = new byte[24];
        Buffer.BlockCopy(numbers, 0, data, 0, data.Length);
        using var temporary = new TemporaryFile(new GgufWriter()
            .Add("first", GgmlType.F32, [1], [0, 0, 128, 63])
            .Add("second", GgmlType.F32, [3, 2], data)
            .ToArray());
        using GgufFile file = GgufFile.Open(temporary.Path);

        Assert.Equal(["first", "second"], file.Tensors.Select(tensor => tensor.Name));
        Assert.Null(file.FindTensor("third"));
    }

    [Fact]
    public void A_source_gives_tensors_with_the_outermost_dimension_first()
    {
        using var temporary = new TemporaryFile(new GgufWriter()
            .Set("general.architecture", "llama")
            .Add("stack", GgmlType.F16, [3, 2, 4], [.. Enumerable.Range(0, 48).Select(i => (byte)i)])
            .ToArray());
        using ModelSource source = ModelSource.Open(temporary.Path);

        ModelTensor stack = source.FindTensor("stack")!;

        Assert.Equal([4, 2, 3], stack.Shape);
        Assert.Equal((8, 3), (stack.AsMatrix().Outputs, stack.AsMatrix().Inputs));
        Assert.Equal((2, 3), (stack.MatrixAt(3).Outputs, stack.MatrixAt(3).Inputs));
        Assert.Equal([42, 43, 44, 45, 46, 47], stack.MatrixAt(3).Row(1).ToArray());
    }

    [Fact]
    public void Reads_the_default_model()
    {
        using GgufFile file = GgufFile.Open(Repository.DefaultModel);

        Assert.Equal(272, file.Tensors.Count);
        Assert.Equal("llama", file.Metadata.GetString("general.architecture"));
        Assert.Equal(49_152, file.Metadata.FindStrings("tokenizer.ggml.tokens")!.Length);
        Assert.Equal(GgmlType.Q4_1, file.FindTensor("blk.29.ffn_down.weight")!.Type);
    }

    public static TheoryData<string, byte[], string> WrongFiles() => new()
    {
        { "an empty file", [], "byte 0: the file is empty" },
        { "a pickle", [0x80, 0x04, 0x95, 1, 2, 3, 4, 5], "byte 0: the file is a pickle" },
        { "version 2", new GgufWriter().ToArray(version: 2), "byte 4: the version is 2, expected 3" },
        { "big-endian", new GgufWriter().ToArray(version: 0x03000000), "convert it to little-endian" },
        { "cut in the header", TinyLlama.Writer().ToArray()[..12], "byte 8: the tensor count needs 8 bytes, but only 4 are left" },
        { "cut in the metadata", TinyLlama.Writer().ToArray()[..300], "are left in the file" },
        { "cut in the data", TinyLlama.Writer().ToArray()[..^1], "tensor blk.0.ffn_down.weight has 2048 bytes from" },
        { "2^63 values", Patch(new GgufWriter().ToArray(), 16, 1L << 63), "byte 16: the metadata count says 9223372036854775808" },
        { "2^61 tensors", Patch(new GgufWriter().ToArray(), 8, 1L << 61), "byte 8: the tensor count says 2305843009213693952" },
        { "a string longer than the file", Patch(new GgufWriter().Set("key", "value").ToArray(), 39, 1L << 40), "byte 39: the length of key says 1099511627776" },
        { "a value type that is none", new GgufWriter().Set("key", (GgufValueType)13, _ => { }).ToArray(), "the type of key is 13" },
        { "an array longer than the file", Array(GgufValueType.Float64, 1L << 60), "the length of key says" },
        { "an array of arrays", Array(GgufValueType.Array, 1), "key is an array of arrays" },
        { "a key twice", new GgufWriter().Set("key", 1u).Set("key", 2u).ToArray(), "key is there twice" },
        { "a tensor twice", new GgufWriter().Add("t", GgmlType.F32, [1], new byte[4]).Add("t", GgmlType.F32, [1], new byte[4]).ToArray(), "tensor t is there twice" },
        { "a key that is not UTF-8", Patch(new GgufWriter().Set("12345678", 1u).ToArray(), 32, -1), "metadata key 0 is not valid UTF-8" },
        { "an unknown element type", Tensor((GgmlType)4, 32), "tensor t has the element type 4, which is not supported" },
        { "part of a block", Tensor(GgmlType.Q4_1, 33), "tensor t has rows of 33 elements, which is not a multiple of the 32 elements of a Q4_1 block" },
        { "no dimensions", Tensor(GgmlType.F32), "tensor t has 0 dimensions, expected 1 to 4" },
        { "five dimensions", Tensor(GgmlType.F32, 1, 1, 1, 1, 1), "tensor t has 5 dimensions, expected 1 to 4" },
        { "a dimension of 0", Tensor(GgmlType.F32, 4, 0), "tensor t has the dimension 0" },
        { "a dimension of 2^63", Tensor(GgmlType.F32, 4, long.MinValue), "tensor t has the dimension 9223372036854775808" },
        { "dimensions whose product overflows", Tensor(GgmlType.F32, 1L << 32, 1L << 32, 1L << 32), "more than the whole file" },
        { "a tensor outside the file", TinyLlama.Writer().ToArray(offsetShift: 1 << 20), "but the file holds only" },
        { "an offset of almost 2^64", TinyLlama.Writer().ToArray(offsetShift: -32), "from 18446744073709551584, but the file holds only" },
        { "a tensor off the alignment", TinyLlama.Writer().ToArray(offsetShift: 4), "starts at 4, which is not a multiple of the alignment 32" },
        { "an alignment of 0", new GgufWriter().Set("general.alignment", 0u).ToArray(), "general.alignment is 0, expected 1 to" },
        { "an odd alignment", new GgufWriter().Set("general.alignment", 48u).ToArray(), "general.alignment is 48, expected a power of two" },
    };

    [Theory]
    [MemberData(nameof(WrongFiles))]
    public void Refuses_a_wrong_file_and_names_the_field(string what, byte[] bytes, string expected)
    {
        using var temporary = new TemporaryFile(bytes);

        var error = Assert.Throws<ModelFormatException>(() => GgufFile.Open(temporary.Path));

        Assert.True(error.Message.Contains(expected, StringComparison.Ordinal), $"{what}: {error.Message}");
        Assert.StartsWith(temporary.Path, error.Message);
    }

    [Fact]
    public void Quotes_no_more_of_a_hostile_file_than_a_line()
    {
        using var temporary = new TemporaryFile(new GgufWriter().Set(new string('k', 60_000), (GgufValueType)99, _ => { }).ToArray());

        var error = Assert.Throws<ModelFormatException>(() => GgufFile.Open(temporary.Path));

        Assert.InRange(error.Message.Length, 300, 1000);
    }

    private static byte[] Tensor(GgmlType type, params long[] dimensions) => new GgufWriter().Add("t", type, dimensions, new byte[64]).ToArray();

    private static byte[] Array(GgufValueType elementType, long count) =>
        new GgufWriter().Set("key", GgufValueType.Array, w => WriteArray(w, elementType, count, () => { })).ToArray();

    private static void WriteArray(BinaryWriter writer, GgufValueType elementType, long count, Action writeOne)
    {
        writer.Write((int)elementType);
        writer.Write(count);
        for (long i = 0; i < Math.Min(count, 8); i++)
        {
            writeOne();
        }
    }

    private static byte[] Patch(byte[] bytes, int offset, long value)
    {
        BitConverter.TryWriteBytes(bytes.AsSpan(offset), value);
        return bytes;
    }
}
