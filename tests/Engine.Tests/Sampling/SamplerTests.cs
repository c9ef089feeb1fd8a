using CsCheck;
using Serving.Engine.Sampling;

namespace Serving.Engine.Tests.Sampling;

public sealed class SamplerTests
{
    private const int Vocabulary = 1_003;

    private readonly Sampler _sampler = new(Vocabulary);

    [Fact]
    public void Greedy_takes_the_largest_logit_and_the_lowest_id_among_equals()
    {
        var logits = new float[Vocabulary];
        Array.Fill(logits, -3);
        logits[1_002] = logits[17] = logits[501] = 2.5f;

        Assert.Equal(17, Sample(logits, SamplingParameters.Greedy, 5));
    }

    [Fact]
    public void Greedy_finds_the_largest_logit_wherever_it_is()
    {
        for (var id = 0; id < Vocabulary; id++)
        {
            var logits = new float[Vocabulary];
            logits[id] = 1;
            Assert.Equal(id, Sample(logits, SamplingParameters.Greedy, 0));
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Refuses_logits_that_are_not_finite(float broken)
    {
        foreach (var id in new[] { 0, 500, Vocabulary - 1 })
        {
            var logits = new float[Vocabulary];
            logits[id] = broken;
            Assert.False(_sampler.TrySample(logits, SamplingParameters.Greedy, 0, out _));
            Assert.False(_sampler.TrySample(logits, new SamplingParameters(1, 0.9f, 1, 0), 0, out _));
        }

        var masked = new float[Vocabulary];
        Array.Fill(masked, float.NegativeInfinity);
        Assert.False(_sampler.TrySample(masked, SamplingParameters.Greedy, 0, out _));
    }

    [Fact]
    public void Never_draws_a_masked_token()
    {
        var logits = new float[Vocabulary];
        Array.Fill(logits, float.NegativeInfinity);
        logits[3] = 1;
        logits[900] = 1;

        var drawn = Enumerable.Range(0, 200).Select(i => Sample(logits, new SamplingParameters(5, 1, 1, 0), i)).Distinct().Order();
        Assert.Equal([3, 900], drawn);
    }

    [Fact]
    public void Same_seed_and_position_draw_the_same_token_whatever_came_between()
    {
        var random = new Random(1);
        var logits = Logits(random, 4);
        var parameters = new SamplingParameters(0.8f, 0.95f, 42, 0);
        var first = Enumerable.Range(0, 50).Select(i => Sample(logits, parameters, i)).ToArray();

        Sample(Logits(random, 4), new SamplingParameters(1, 0.5f, 7, 3), 9);
        var again = Enumerable.Range(0, 50).Reverse().Select(i => new Sampler(Vocabulary).Draw(logits, parameters, i)).Reverse();

        Assert.Equal(first, again);
        Assert.True(first.Distinct().Count() > 10);
        Assert.NotEqual(first, Enumerable.Range(0, 50).Select(i => Sample(logits, parameters with { Seed = 43 }, i)));
    }

    [Fact]
    public void Draws_tokens_as_often_as_their_probability_says()
    {
        var logits = new float[Vocabulary];
        Array.Fill(logits, float.NegativeInfinity);
        (logits[10], logits[20], logits[30]) = (MathF.Log(6), MathF.Log(3), MathF.Log(1));

        var counts = new int[Vocabulary];
        for (var i = 0; i < 20_000; i++)
        {
            counts[Sample(logits, new SamplingParameters(1, 1, 5, 0), i)]++;
        }

        // Four standard deviations of 20,000 draws are about 0.014.
        Assert.Equal(0.6, counts[10] / 20_000.0, 0.014);
        Assert.Equal(0.3, counts[20] / 20_000.0, 0.014);
        Assert.Equal(0.1, counts[30] / 20_000.0, 0.014);
    }

    [Fact]
    public void Top_p_keeps_the_likeliest_tokens_that_reach_it_and_no_more()
    {
        var logits = new float[Vocabulary];
        Array.Fill(logits, float.NegativeInfinity);
        (logits[9], logits[4], logits[7], logits[2]) = (MathF.Log(5), MathF.Log(3), MathF.Log(1), MathF.Log(1));

        Assert.Equal([9], Drawn(logits, 0.49f));
        Assert.Equal([4, 9], Drawn(logits, 0.75f));
        Assert.Equal([2, 4, 9], Drawn(logits, 0.85f));
        Assert.Equal([2, 4, 7, 9], Drawn(logits, 0.95f));
    }

    [Fact]
    public void Top_p_among_equal_logits_keeps_the_lowest_ids()
    {
        var drawn = Drawn(new float[Vocabulary], 10.5f / Vocabulary, draws: 2_000);

        Assert.Equal(Enumerable.Range(0, 11), drawn);
    }

    /// <summary>The nucleus, as a full sort finds it, is what is drawn from.</summary>
    [Fact]
    public void Top_p_agrees_with_a_full_sort()
    {
        Gen.Select(Gen.Int[0, 100_000], Gen.Float[0.05f, 0.99f], Gen.Float[0.2f, 2f], Gen.Float[0.1f, 8f]).Sample(
            (seed, topP, temperature, spread) =>
            {
                var logits = Logits(new Random(seed), spread);
                var largest = logits.Max();
                var weights = logits.Select(logit => Math.Exp((logit - largest) / temperature)).ToArray();
                var order = Enumerable.Range(0, Vocabulary).OrderByDescending(id => logits[id]).ThenBy(id => id).ToArray();
                var kept = new HashSet<int>();
                var mass = 0.0;
                var limit = weights.Sum() * topP;
                foreach (var id in order)
                {
                    kept.Add(id);
                    mass += weights[id];

                    // The token after the border may be in or out by rounding: it is allowed.
                    if (mass > limit * (1 + 1e-5))
                    {
                        break;
                    }
                }

                for (var i = 0; i < 20; i++)
                {
                    Assert.Contains(Sample(logits, new SamplingParameters(temperature, topP, seed, 0), i), kept);
                }
            },
            iter: 100,
            threads: 1);
    }

    [Theory]
    [InlineData(1e-30f)]
    [InlineData(float.Epsilon)]
    public void A_vanishing_temperature_is_greedy(float temperature)
    {
        var logits = Logits(new Random(3), 4);

        Assert.Equal(Sample(logits, SamplingParameters.Greedy, 0), Sample(logits, new SamplingParameters(temperature, 0.9f, 1, 0), 0));
    }

    [Fact]
    public void Allocates_nothing()
    {
        var logits = Logits(new Random(3), 4);
        var parameters = new SamplingParameters(0.8f, 0.95f, 42, 0);
        Sample(logits, parameters, 0);
        Sample(logits, SamplingParameters.Greedy, 0);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++)
        {
            Sample(logits, parameters, i);
            Sample(logits, SamplingParameters.Greedy, i);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData(-0.1f, 1f)]
    [InlineData(float.NaN, 1f)]
    [InlineData(float.PositiveInfinity, 1f)]
    [InlineData(1f, 0f)]
    [InlineData(1f, 1.01f)]
    [InlineData(1f, float.NaN)]
    public void Parameters_outside_their_range_are_named(float temperature, float topP) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new SamplingParameters(temperature, topP, 0, 0).ThrowIfInvalid());

    private int Sample(float[] logits, SamplingParameters parameters, int position) => _sampler.Draw(logits, parameters, position);

    private IEnumerable<int> Drawn(float[] logits, float topP, int draws = 400) =>
        Enumerable.Range(0, draws).Select(i => Sample(logits, new SamplingParameters(1, topP, 11, 0), i)).Distinct().Order();

    private static float[] Logits(Random random, float spread)
    {
        var logits = new float[Vocabulary];
        for (var id = 0; id < logits.Length; id++)
        {
            logits[id] = (float)((random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) * spread);
        }

        return logits;
    }
}

internal static class SamplerExtensions
{
    public static int Draw(this Sampler sampler, float[] logits, SamplingParameters parameters, int position)
    {
        Assert.True(sampler.TrySample(logits, parameters, position, out var token));
        return token;
    }
}
