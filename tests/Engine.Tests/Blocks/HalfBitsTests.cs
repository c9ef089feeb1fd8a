using System.Runtime.Intrinsics;
using Serving.Engine.Formats.Blocks;

namespace Serving.Engine.Tests.Blocks;

public sealed class HalfBitsTests
{
    [Fact]
    public void Widens_every_finite_half_exactly()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            Half half = BitConverter.UInt16BitsToHalf((ushort)bits);
            if (!Half.IsFinite(half))
            {
                continue;
            }

            int expected = BitConverter.SingleToInt32Bits((float)half);
            Assert.Equal(expected, BitConverter.SingleToInt32Bits(HalfBits.ToSingle((ushort)bits)));
            Assert.Equal(expected, BitConverter.SingleToInt32Bits(HalfBits.ToSingle(Vector128.Create((short)bits)).GetElement(5)));
        }
    }

    [Fact]
    public void Rounds_to_the_nearest_half_with_ties_to_even()
    {
        // Each finite half, the points midway to its neighbour, and a hair on both sides of those.
        for (int bits = 0; bits < 0x7bff; bits++)
        {
            float low = (float)BitConverter.UInt16BitsToHalf((ushort)bits);
            float middle = (low + (float)BitConverter.UInt16BitsToHalf((ushort)(bits + 1))) / 2;
            AssertRounds(low);
            AssertRounds(-low);
            AssertRounds(middle);
            AssertRounds(MathF.BitIncrement(middle));
            AssertRounds(-MathF.BitDecrement(middle));
        }
    }

    [Theory]
    [InlineData(1e6f, 65504f)]
    [InlineData(-65520f, -65504f)]
    [InlineData(float.PositiveInfinity, 65504f)]
    public void Saturates_beyond_the_finite_range(float value, float expected) =>
        Assert.Equal(expected, (float)BitConverter.Int16BitsToHalf(HalfBits.FromSingle(Vector256.Create(value)).ToScalar()));

    private static void AssertRounds(float value)
    {
        short expected = BitConverter.HalfToInt16Bits((Half)value);
        short actual = HalfBits.FromSingle(Vector256.Create(value)).GetElement(3);
        if (expected != actual)
        {
            Assert.Fail($"{value:R} became {actual:x4}, not {expected:x4}.");
        }
    }
}
