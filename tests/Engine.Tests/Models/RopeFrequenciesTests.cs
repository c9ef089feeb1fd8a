using Serving.Engine.Models;

namespace Serving.Engine.Tests;

/// <summary>The expected figures come from a separate program in Python, written after the formulas of transformers' modeling_rope_utils.</summary>
public sealed class RopeFrequenciesTests
{
    [Fact]
    public void Default_falls_from_one_by_equal_ratios() =>
        AssertClose([1, 0.31622776601683794, 0.1, 0.03162277660168379, 0.01, 0.0031622776601683794, 0.001, 0.00031622776601683794], Sixteen());

    [Fact]
    public void Linear_divides_all_alike() => AssertClose([0.25, 0.025], RopeFrequencies.Linear([1, 0.1], 4));

    [Fact]
    public void Divide_takes_a_factor_for_each()
    {
        AssertClose([0.5, 0.025], RopeFrequencies.Divide([1, 0.1], [2, 4]));
        Assert.Throws<ArgumentException>(() => RopeFrequencies.Divide([1, 0.1], [2]));
    }

    [Fact]
    public void Llama3_keeps_short_waves_blends_middling_ones_and_stretches_long_ones() =>
        AssertClose(
            [1, 0.31622776601683794, 0.1, 0.03162277660168379, 0.003086760967011274, 0.0003952847075210474, 0.000125, 3.952847075210474e-05],
            RopeFrequencies.Llama3(Sixteen(), factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 1024));

    [Fact]
    public void Yarn_ramps_between_whole_pairs() =>
        AssertClose(
            [1, 0.31622776601683794, 0.1, 0.02569350598886808, 0.00625, 0.001383496476323666, 0.00025, 7.905694150420948e-05],
            RopeFrequencies.Yarn(Sixteen(), 10000, factor: 4, betaFast: 32, betaSlow: 1, originalContext: 4096, truncate: true));

    [Fact]
    public void Yarn_without_truncation_ramps_between_fractions_of_pairs()
    {
        AssertClose(
            [1, 0.31622776601683794, 0.1, 0.02861360881198889, 0.006556971521129435, 0.0012856320307266882, 0.00025, 7.905694150420948e-05],
            RopeFrequencies.Yarn(Sixteen(), 10000, factor: 4, betaFast: 32, betaSlow: 1, originalContext: 4096, truncate: false));

        // GPT-OSS: the ramp runs from pair 8.09 to pair 17.40.
        double[] gptOss = RopeFrequencies.Yarn(RopeFrequencies.Default(64, 150000), 150000, factor: 32, betaFast: 32, betaSlow: 1, 4096, truncate: false);
        AssertClose(
            [0.050813274815461475, 0.03170569618466377, 0.01933500112654036, 0.011592049256286924, 0.006794959489732219, 0.0038603593171920685,
                0.0020937923789696887, 0.0010526021013863357, 0.00045648391922324086, 0.0001293187012450632],
            gptOss[8..18]);
    }

    [Fact]
    public void Yarn_with_a_ramp_of_no_width_is_a_step()
    {
        // Both betas 16 of 1024 positions put both ends of the ramp on the same fraction of a pair, 2.02: pairs 0 to 2 stay.
        double[] stretched = RopeFrequencies.Yarn(Sixteen(), 10000, factor: 4, betaFast: 16, betaSlow: 16, originalContext: 1024, truncate: false);

        double[] kept = Sixteen();
        for (int pair = 0; pair < kept.Length; pair++)
        {
            Assert.Equal(pair <= 2 ? kept[pair] : kept[pair] / 4, stretched[pair], kept[pair] * 1e-12);
        }
    }

    [Fact]
    public void Magnitudes_grow_with_the_logarithm_of_the_factor()
    {
        Assert.Equal(1.3688879454113936, RopeFrequencies.YarnMagnitude(40), 1e-14);
        Assert.Equal(1.2608037774058554, RopeFrequencies.YarnMagnitude(40, mscale: 0.707), 1e-14);
        Assert.Equal(1.1902380714238083, RopeFrequencies.LongRopeMagnitude(32, originalContext: 4096), 1e-14);
        Assert.Equal((1, 1), (RopeFrequencies.YarnMagnitude(1), RopeFrequencies.YarnMagnitude(0.5)));
        Assert.Equal(1, RopeFrequencies.LongRopeMagnitude(1, originalContext: 4096));
    }

    private static double[] Sixteen() => RopeFrequencies.Default(16, 10000);

    private static void AssertClose(double[] expected, double[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], expected[i] * 1e-12);
        }
    }
}
