using System.Runtime.InteropServices;
using System.Text.Json;
using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Tests.Blocks;

public sealed class BlockDecoderTests
{
    private static readonly JsonElement Fixture = GoldenFixtures.Json("gguf", "blocks.json");

    public static TheoryData<string> Types => [.. Fixture.EnumerateObject().Select(type => type.Name)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Decodes_a_format_bit_for_bit_as_the_reference(string name)
    {
        GgmlType type = Enum.Parse<GgmlType>(name);
        JsonElement expected = Fixture.GetProperty(name);
        byte[] raw = expected.GetProperty("raw_base64").GetBytesFromBase64();
        byte[] bytes = expected.GetProperty("float32_base64").GetBytesFromBase64();

        float[] decoded = new float[bytes.Length / sizeof(float)];
        BlockDecoder.Decode(type, raw, decoded);

        Assert.Equal(expected.GetProperty("block_elements").GetInt32(), BlockDecoder.BlockElements(type));
        Assert.Equal(expected.GetProperty("block_bytes").GetInt32(), BlockDecoder.BlockBytes(type));
        Assert.Equal(MemoryMarshal.Cast<byte, int>(bytes).ToArray(), MemoryMarshal.Cast<float, int>(decoded).ToArray());
    }

    [Fact]
    public void Covers_every_format_but_plain_numbers_with_the_fixture()
    {
        IEnumerable<string> covered = Fixture.EnumerateObject().Select(type => type.Name);

        Assert.Equal(Enum.GetNames<GgmlType>().Except(["F32", "I8", "I32"]).Order(), covered.Order());
    }

    [Fact]
    public void Copies_plain_floats()
    {
        float[] values = [1.5f, -0f, float.MaxValue];
        float[] decoded = new float[3];

        BlockDecoder.Decode(GgmlType.F32, MemoryMarshal.AsBytes(values.AsSpan()), decoded);

        Assert.Equal(values, decoded);
    }

    [Theory]
    [InlineData(GgmlType.Q4_0, 18, 31)]
    [InlineData(GgmlType.Q4_0, 17, 32)]
    [InlineData(GgmlType.Q6_K, 420, 256)]
    public void Refuses_lengths_that_are_not_whole_blocks(GgmlType type, int bytes, int elements)
    {
        ArgumentException refusal = Assert.Throws<ArgumentException>(() => BlockDecoder.Decode(type, new byte[bytes], new float[elements]));

        Assert.Contains(type.ToString(), refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_a_type_it_does_not_know() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => BlockDecoder.Decode((GgmlType)99, new byte[4], new float[1]));
}
