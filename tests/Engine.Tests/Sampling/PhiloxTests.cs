using Serving.Engine.Sampling;

namespace Serving.Engine.Tests.Sampling;

public sealed class PhiloxTests
{
    /// <summary>Known answers of Random123, the authors' own library (kat_vectors, philox4x32 10).</summary>
    [Fact]
    public void Gives_the_known_answers()
    {
        Assert.Equal((0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u), Philox.Block((0, 0, 0, 0), (0, 0)));
        Assert.Equal(
            (0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu),
            Philox.Block((uint.MaxValue, uint.MaxValue, uint.MaxValue, uint.MaxValue), (uint.MaxValue, uint.MaxValue)));
        Assert.Equal(
            (0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u),
            Philox.Block((0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344), (0xa4093822, 0x299f31d0)));
    }

    [Fact]
    public void Seed_choice_and_position_each_change_the_number()
    {
        var numbers = new[]
        {
            Philox.Uniform(1, 0, 10),
            Philox.Uniform(2, 0, 10),
            Philox.Uniform(1L << 40, 0, 10),
            Philox.Uniform(1, 1, 10),
            Philox.Uniform(1, 0, 11),
        };

        Assert.Equal(numbers.Length, numbers.Distinct().Count());
        Assert.All(numbers, number => Assert.InRange(number, 0, 1 - double.Epsilon));
        Assert.Equal(numbers[0], Philox.Uniform(1, 0, 10));
    }
}
