using Serving.Engine.Formats;
using Serving.TestKit;
using SafetensorsFile = Serving.Engine.Formats.Safetensors.SafetensorsFile;

namespace Serving.Engine.Tests;

public sealed class SafetensorsFileTests
{
    private const string Good = """{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    [Fact]
    public void Reads_tensors_where_they_lie()
    {
        using var temporary = new TemporaryFile(new SafetensorsWriter()
            .Add("floats", "F32", [2, 1], [0, 0, 128, 63, 0, 0, 0, 64])
            .Add("halves", "F16", [2], [0, 60, 0, 64])
            .Add("brains", "BF16", [1, 1, 2], [128, 63, 0, 64])
            .Add("blocks", "U8", [3], [1, 2, 255])
            .Add("one", "F32", [], [0, 0, 128, 63])
            .ToArray());
        using SafetensorsFile file = SafetensorsFile.Open(temporary.Path);

        Assert.Equal([1f, 2f], Decode(file, "floats"));
        Assert.Equal([1f, 2f], Decode(file, "halves"));
        Assert.Equal([1f, 2f], Decode(file, "brains"));
        Assert.Equal([1f], Decode(file, "one"));
        Assert.Equal([2, 1], file.Find("floats")!.Shape);
        Assert.Equal([1], file.Find("one")!.Shape);
        Assert.Equal((GgmlType.I8, 3L), (file.Find("blocks")!.Type, file.Find("blocks")!.ByteCount));
        Assert.Equal([1, 2, 255], file.Find("blocks")!.Bytes.ToArray());
        Assert.Null(file.Find("absent"));
    }

    [Theory]
    [InlineData("I64", 8)]
    [InlineData("F64", 8)]
    [InlineData("BOOL", 1)]
    [InlineData("F8_E4M3", 1)]
    [InlineData("F4", 3)]
    public void Refuses_a_type_that_nothing_computes_with_only_when_asked_for_it(string type, int bytes)
    {
        using var temporary = new TemporaryFile(new SafetensorsWriter().Add("odd", type, [1], new byte[bytes]).Add("good", "F32", [1], new byte[4]).ToArray());
        using SafetensorsFile file = SafetensorsFile.Open(temporary.Path);

        Assert.Single(file.Tensors);
        Assert.True(file.Contains("odd"));
        Assert.Contains($"tensor odd has the element type {type}, which is not supported", Assert.Throws<ModelFormatException>(() => file.Find("odd")).Message);
    }

    [Fact]
    public void Refuses_a_tensor_without_elements_only_when_asked_for_it()
    {
        using var temporary = new TemporaryFile(new SafetensorsWriter().Add("empty", "F32", [0, 4], []).Add("good", "F32", [1], new byte[4]).ToArray());
        using SafetensorsFile file = SafetensorsFile.Open(temporary.Path);

        Assert.NotNull(file.Find("good"));
        Assert.Contains("tensor empty has the element type F32 and no elements", Assert.Throws<ModelFormatException>(() => file.Find("empty")).Message);
    }

    [Fact]
    public void A_directory_whose_length_looks_like_a_pickle_is_none()
    {
        string padded = Good.PadRight(0x10280);
        using var temporary = new TemporaryFile(SafetensorsWriter.ToArray(padded, new byte[8]));
        using SafetensorsFile file = SafetensorsFile.Open(temporary.Path);

        Assert.Single(file.Tensors);
    }

    public static TheoryData<string, byte[], string> WrongFiles() => new()
    {
        { "an empty file", [], "byte 0: the file is empty" },
        { "four bytes", [1, 2, 3, 4], "byte 8: the length of the directory needs 8 bytes, but the file has only 4" },
        { "a pickle", [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9], "byte 0: the file is a pickle: PyTorch's old format, which runs code when it is read; convert it to safetensors" },
        { "a zipped pickle", [(byte)'P', (byte)'K', 3, 4, 0, 0, 8, 8, 0, 0], "byte 0: the file is a pickle" },
        { "a protocol 4 pickle", [0x80, 4, 0x95, 0x20, 0, 0, 0, 0, 0, 0, 0], "byte 0: the file is a pickle" },
        { "a Git LFS pointer", [.. "version https://git-lfs.github.com/spec/v1\noid sha256:0"u8], "byte 0: the file is a Git LFS pointer, not the file itself" },
        { "a web page", [.. "<!DOCTYPE html>"u8], "byte 0: the file is a web page" },
        { "a directory of 2^63 bytes", SafetensorsWriter.ToArray(Good, new byte[8], 1UL << 63), "the length of the directory is 9223372036854775808, but the file has" },
        { "a directory of 2^64 - 1 bytes", SafetensorsWriter.ToArray(Good, new byte[8], ulong.MaxValue), "the length of the directory is 18446744073709551615" },
        { "a directory beyond the file", SafetensorsWriter.ToArray(Good, [], (ulong)Good.Length + 1), "it is cut off or no safetensors file" },
        { "a directory cut short", SafetensorsWriter.ToArray(Good, new byte[8], 20), "the directory is no JSON that can be read" },
        { "no JSON", SafetensorsWriter.ToArray("nonsense", []), "the directory is no JSON that can be read" },
        { "no object", SafetensorsWriter.ToArray("[1]", []), "the directory is no JSON object" },
        { "deep JSON", SafetensorsWriter.ToArray(new string('[', 100_000), []), "the directory is no JSON that can be read" },
        { "half a character", SafetensorsWriter.ToArray("""{"\ud800":{}}""", []), "the directory is no JSON that can be read" },
        { "half a character as a type", Tensor("""{"dtype":"\ud800","shape":[2],"data_offsets":[0,8]}"""), "the directory is no JSON that can be read" },
        { "a tensor twice", SafetensorsWriter.ToArray($"{Good[..^1]},{Good[1..]}", new byte[8]), "the directory is no JSON that can be read" },
        { "metadata that are no strings", SafetensorsWriter.ToArray("""{"__metadata__":{"a":1}}""", []), "__metadata__.a is no string" },
        { "metadata that are a list", SafetensorsWriter.ToArray("""{"__metadata__":[]}""", []), "__metadata__ is no JSON object" },
        { "no dtype", Tensor("""{"shape":[2],"data_offsets":[0,8]}"""), "tensor t lacks its dtype, its shape or its two data_offsets" },
        { "a number as a tensor", Tensor("7"), "tensor t lacks its dtype" },
        { "three offsets", Tensor("""{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}"""), "tensor t lacks its dtype" },
        { "an offset that is text", Tensor("""{"dtype":"F32","shape":[2],"data_offsets":["0",8]}"""), "tensor t has the data_offsets[0] \"0\", expected 0 to 8" },
        { "an offset beyond the file", Tensor("""{"dtype":"F32","shape":[2],"data_offsets":[0,9]}"""), "tensor t has the data_offsets[1] 9, expected 0 to 8" },
        { "an offset below 0", Tensor("""{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}"""), "tensor t has the data_offsets[0] -8" },
        { "an offset of 2^64", Tensor("""{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551616]}"""), "tensor t has the data_offsets[1] 18446744073709551616" },
        { "offsets in the wrong order", Tensor("""{"dtype":"F32","shape":[2],"data_offsets":[8,0]}"""), "tensor t has data_offsets [8, 0], of which the second is before the first" },
        { "too few bytes for the shape", Tensor("""{"dtype":"F32","shape":[2],"data_offsets":[0,4]}"""), "tensor t has the shape [2], which takes 8 bytes, but 4 bytes of data" },
        { "too many bytes for the shape", Tensor("""{"dtype":"F16","shape":[2],"data_offsets":[0,8]}"""), "tensor t has the shape [2], which takes 4 bytes, but 8 bytes of data" },
        { "a dimension of 2^63", Tensor("""{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}"""), "tensor t has the shape[0] 9223372036854775808" },
        { "a dimension of 2^63 - 1", Tensor("""{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,8]}"""), "more than the whole file" },
        { "a product that overflows", Tensor("""{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}"""), "more than the whole file" },
        { "a product that overflows to the right size", Tensor("""{"dtype":"F32","shape":[4611686018427387905,2],"data_offsets":[0,8]}"""), "more than the whole file" },
        { "a dimension below 0", Tensor("""{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}"""), "tensor t has the shape[0] -2" },
        { "a fraction as a dimension", Tensor("""{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}"""), "tensor t has the shape[0] 2.5" },
        { "nine dimensions", Tensor("""{"dtype":"F32","shape":[2,1,1,1,1,1,1,1,1],"data_offsets":[0,8]}"""), "tensor t has 9 dimensions, expected at most 8" },
        { "tensors that overlap", Pair(4, 8, 12), "tensor u begins at 4, but tensor t ends at 8; tensors may neither overlap nor leave gaps" },
        { "tensors that are the same bytes", Pair(0, 8, 8), "tensor u begins at 0, but tensor t ends at 8" },
        { "a gap", Pair(12, 20, 20), "tensor u begins at 12, but tensor t ends at 8" },
        { "bytes behind the last tensor", SafetensorsWriter.ToArray(Good, new byte[9]), "tensor t ends at 8, but the file holds 9 bytes of tensor data" },
        { "the file cut off", SafetensorsWriter.ToArray(Good, new byte[7]), "tensor t has the data_offsets[1] 8, expected 0 to 7" },
    };

    [Theory]
    [MemberData(nameof(WrongFiles))]
    public void Refuses_a_wrong_file_and_names_the_field(string what, byte[] bytes, string expected)
    {
        using var temporary = new TemporaryFile(bytes);

        var error = Assert.Throws<ModelFormatException>(() => SafetensorsFile.Open(temporary.Path));

        Assert.True(error.Message.Contains(expected, StringComparison.Ordinal), $"{what}: {error.Message}");
        Assert.StartsWith($"{temporary.Path}, byte ", error.Message);
    }

    private static byte[] Tensor(string entry) => SafetensorsWriter.ToArray($$"""{"t":{{entry}}}""", new byte[8]);

    private static byte[] Pair(int begin, int end, int bytes) => SafetensorsWriter.ToArray(
        $$$"""{"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"u":{"dtype":"F32","shape":[{{{(end - begin) / 4}}}],"data_offsets":[{{{begin}}},{{{end}}}]}}""", new byte[bytes]);

    private static float[] Decode(SafetensorsFile file, string name)
    {
        ModelTensor tensor = file.Find(name)!;
        var values = new float[tensor.Shape.Aggregate(1L, (product, size) => product * size)];
        tensor.Decode(values);
        return values;
    }
}
