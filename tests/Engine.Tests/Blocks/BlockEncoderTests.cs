using Serving.Engine.Formats;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Tests.Blocks;

public sealed class BlockEncoderTests
{
    public static TheoryData<GgmlType> Types => [.. Enum.GetValues<GgmlType>().Where(BlockEncoder.CanEncode)];

    public static TheoryData<GgmlType> BlockTypes => [.. Types.Select(row => row.Data).Where(type => BlockDecoder.BlockElements(type) > 1)];

    public static TheoryData<GgmlType> SimpleTypes =>
        [GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q4_0, GgmlType.Q4_1, GgmlType.Q5_0, GgmlType.Q5_1, GgmlType.Q8_0];

    /// <summary>A step is what separates two levels of a block whose elements lie between −1 and 1, the rounding of the scales included.</summary>
    [Theory]
    [InlineData(GgmlType.F32, 0f)]
    [InlineData(GgmlType.F16, 0.0005f)]
    [InlineData(GgmlType.BF16, 0.004f)]
    [InlineData(GgmlType.Q4_0, 1 / 8f)]
    [InlineData(GgmlType.Q4_1, 1.05f / 15)]
    [InlineData(GgmlType.Q5_0, 1 / 16f)]
    [InlineData(GgmlType.Q5_1, 1.05f / 31)]
    [InlineData(GgmlType.Q8_0, 0.58f / 127)]
    [InlineData(GgmlType.Q4_K, 1.9f / 15)]
    [InlineData(GgmlType.Q5_K, 1.9f / 31)]
    [InlineData(GgmlType.Q6_K, 1.6f / 32)]
    public void Stays_within_a_step_of_the_original(GgmlType type, float errorMax)
    {
        var random = new Random(7);
        float[] x = [.. Enumerable.Range(0, 64 * 256).Select(_ => (random.NextSingle() * 2) - 1)];

        float[] decoded = RoundTrip(type, x);

        Assert.InRange(x.Zip(decoded, (a, b) => MathF.Abs(a - b)).Max(), 0, errorMax);
    }

    [Theory]
    [MemberData(nameof(SimpleTypes))]
    public void Encodes_what_it_has_decoded_to_the_same_values(GgmlType type)
    {
        float[] once = RoundTrip(type, Normal(seed: 3, 16 * 256));

        Assert.Equal(once, RoundTrip(type, once));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Keeps_zeros_as_zeros(GgmlType type) => Assert.All(RoundTrip(type, new float[512]), value => Assert.Equal(0, value));

    [Theory]
    [MemberData(nameof(BlockTypes))]
    public void Keeps_a_constant_block_near_its_constant(GgmlType type)
    {
        foreach (float constant in new[] { 0.37f, -0.37f, 100f, -0.1f })
        {
            // What a scale in half precision and one rounded to six or seven bits can be off by together.
            Assert.All(RoundTrip(type, [.. Enumerable.Repeat(constant, 256)]), value => Assert.InRange(value / constant, 0.99f, 1.01f));
        }
    }

    [Theory]
    [MemberData(nameof(BlockTypes))]
    public void Makes_no_infinity_of_subnormals_or_the_largest_halves(GgmlType type)
    {
        foreach (float magnitude in new[] { float.Epsilon, 1e-40f, 1e-38f, 1e-8f, HalfBits.ValueMax })
        {
            float[] x = [.. Normal(seed: 5, 256).Select(value => Math.Clamp(value, -1, 1) * magnitude)];
            x[17] = magnitude;
            x[18] = -magnitude;

            Assert.All(RoundTrip(type, x), value => Assert.InRange(MathF.Abs(value), 0, MathF.Max(1.3f * magnitude, 1e-6f)));
        }
    }

    [Theory]
    [InlineData(GgmlType.Q4_K, GgmlType.Q4_1)]
    [InlineData(GgmlType.Q5_K, GgmlType.Q5_1)]
    public void Searches_scales_that_beat_minimum_and_maximum_though_they_have_fewer_bits(GgmlType searched, GgmlType simple)
    {
        float[] x = Normal(seed: 11, 256 * 256);

        Assert.True(Rms(searched, x) < Rms(simple, x), $"{searched} {Rms(searched, x)}, {simple} {Rms(simple, x)}");
    }

    /// <summary>Root mean square errors of unit normal numbers; measured 0.07175, 0.03591 and 0.01773 (Q4_1 0.07823, Q5_1 0.03787), held with 3 % of room.</summary>
    [Theory]
    [InlineData(GgmlType.Q4_K, 0.0739)]
    [InlineData(GgmlType.Q5_K, 0.0370)]
    [InlineData(GgmlType.Q6_K, 0.0183)]
    public void Searches_scales_as_well_as_was_measured(GgmlType type, double rmsMax) => Assert.InRange(Rms(type, Normal(seed: 11, 256 * 256)), 0, rmsMax);

    [Theory]
    [InlineData(GgmlType.F32, float.NaN)]
    [InlineData(GgmlType.BF16, float.PositiveInfinity)]
    [InlineData(GgmlType.F16, 65_505f)]
    [InlineData(GgmlType.Q8_0, -70_000f)]
    [InlineData(GgmlType.BF16, float.MaxValue)]
    public void Finds_what_a_format_cannot_hold(GgmlType type, float value)
    {
        Assert.Equal(2, BlockEncoder.FindUnencodable(type, [0, 1, value, value]));
        Assert.Equal(-1, BlockEncoder.FindUnencodable(type, [0, 1, -65_504f]));
    }

    [Fact]
    public void Rounds_to_the_nearest_bfloat_with_ties_to_even()
    {
        // 1 + 2^-8 lies in the middle between 1 and 1 + 2^-7, 1 + 3·2^-8 between that and 1 + 2^-6.
        float[] decoded = RoundTrip(GgmlType.BF16, [1 + (1f / 256), MathF.BitIncrement(1 + (1f / 256)), 1 + (3f / 256), -float.Epsilon]);

        Assert.Equal([1, 1 + (1f / 128), 1 + (1f / 64), -0f], decoded);
    }

    [Fact]
    public void Refuses_lengths_that_are_not_whole_blocks_and_types_it_does_not_write()
    {
        Assert.Throws<ArgumentException>(() => BlockEncoder.Encode(GgmlType.Q4_0, new float[31], new byte[18]));
        Assert.Throws<ArgumentException>(() => BlockEncoder.Encode(GgmlType.Q4_0, new float[32], new byte[17]));
        Assert.Throws<ArgumentOutOfRangeException>(() => BlockEncoder.Encode(GgmlType.IQ4_NL, new float[32], new byte[18]));
    }

    private static double Rms(GgmlType type, float[] x) =>
        Math.Sqrt(x.Zip(RoundTrip(type, x), (a, b) => (double)(a - b) * (a - b)).Average());

    private static float[] RoundTrip(GgmlType type, float[] x)
    {
        byte[] encoded = new byte[x.Length / BlockDecoder.BlockElements(type) * BlockDecoder.BlockBytes(type)];
        float[] decoded = new float[x.Length];
        BlockEncoder.Encode(type, x, encoded);
        BlockDecoder.Decode(type, encoded, decoded);
        return decoded;
    }

    private static float[] Normal(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
    }
}
