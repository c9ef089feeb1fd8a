namespace Serving.Engine.Sampling;

/// <summary>Numbers as unsigned integers of the same order, which <see cref="RankSelection"/> takes apart digit by digit.</summary>
internal static class RankKey
{
    private const uint SignBit = 0x8000_0000;

    /// <summary>The larger number comes first.</summary>
    public static uint Descending(float value) => ~Ascending(value);

    /// <summary>The smaller number comes first.</summary>
    public static uint Ascending(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (bits & SignBit) != 0 ? ~bits : bits | SignBit;
    }
}
