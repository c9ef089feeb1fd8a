using Serving.Engine.Sampling;

namespace Serving.Engine.Tests.Sampling;

public sealed class SamplerTests
{
    private const int Vocabulary = 1_003;

    private static readonly SamplingParameters _drawn = new() { Temperature = 0.8f, TopP = 0.95f, Seed = 42 };

    private readonly Sampler _sampler = new(Vocabulary);

    [Fact]
    public void Greedy_takes_the_largest_logit_and_the_lowest_id_among_equals()
    {
        var logits = Filled(-3);
        logits[1_002] = logits[17] = logits[501] = 2.5f;

        Assert.Equal(17, _sampler.Draw(logits, SamplingParameters.Greedy, 5));
    }

    [Fact]
    public void Greedy_finds_the_largest_logit_wherever_it_is()
    {
        for (var id = 0; id < Vocabulary; id++)
        {
            var logits = new float[Vocabulary];
            logits[id] = 1;
            Assert.Equal(id, _sampler.Draw(logits, SamplingParameters.Greedy, 0));
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Refuses_logits_that_are_not_finite(float broken)
    {
        for (var id = 0; id < Vocabulary; id++)
        {
            var logits = new float[Vocabulary];
            logits[id] = broken;
            Assert.False(TrySample(logits, SamplingParameters.Greedy));
            Assert.False(TrySample(logits, _drawn));
        }

        Assert.False(TrySample(Filled(float.NegativeInfinity), SamplingParameters.Greedy));
    }

    [Fact]
    public void Never_draws_a_masked_token()
    {
        var logits = Filled(float.NegativeInfinity);
        logits[3] = 1;
        logits[900] = 1;

        Assert.Equal([3, 900], Drawn(logits, new SamplingParameters { Temperature = 5 }));
        Assert.Equal([3, 900], Drawn(logits, new SamplingParameters { Temperature = 5, TypicalP = 0.9f }));
        Assert.Equal([3, 900], Drawn(logits, new SamplingParameters { Temperature = 5, TopK = 10 }));
    }

    [Fact]
    public void Same_seed_and_position_draw_the_same_token_whatever_came_between()
    {
        var random = new Random(1);
        var logits = SamplerHarness.Logits(random, Vocabulary, 4);
        var first = Enumerable.Range(0, 50).Select(i => _sampler.Draw(logits, _drawn, i)).ToArray();

        _sampler.Draw(SamplerHarness.Logits(random, Vocabulary, 4), _drawn with { TopP = 0.5f, Seed = 7, Choice = 3, TopK = 5 }, 9);
        var again = Enumerable.Range(0, 50).Reverse().Select(i => new Sampler(Vocabulary).Draw(logits, _drawn, i)).Reverse();

        Assert.Equal(first, again);
        Assert.True(first.Distinct().Count() > 10);
        Assert.NotEqual(first, Enumerable.Range(0, 50).Select(i => _sampler.Draw(logits, _drawn with { Seed = 43 }, i)));
        Assert.NotEqual(first, Enumerable.Range(0, 50).Select(i => _sampler.Draw(logits, _drawn with { Choice = 1 }, i)));
    }

    [Fact]
    public void Top_p_keeps_the_likeliest_tokens_that_reach_it_and_no_more()
    {
        var logits = Shares((9, 5), (4, 3), (7, 1), (2, 1));

        Assert.Equal([9], Drawn(logits, new SamplingParameters { TopP = 0.49f }));
        Assert.Equal([4, 9], Drawn(logits, new SamplingParameters { TopP = 0.75f }));
        Assert.Equal([2, 4, 9], Drawn(logits, new SamplingParameters { TopP = 0.85f }));
        Assert.Equal([2, 4, 7, 9], Drawn(logits, new SamplingParameters { TopP = 0.95f }));
    }

    [Fact]
    public void Filters_among_equal_logits_keep_the_lowest_ids()
    {
        var equal = new float[Vocabulary];

        Assert.Equal(Enumerable.Range(0, 11), Drawn(equal, new SamplingParameters { TopP = 10.5f / Vocabulary }, draws: 2_000));
        Assert.Equal(Enumerable.Range(0, 11), Drawn(equal, new SamplingParameters { TopK = 11 }, draws: 2_000));
        Assert.Equal(Enumerable.Range(0, 11), Drawn(equal, new SamplingParameters { TypicalP = 10.5f / Vocabulary }, draws: 2_000));
        Assert.Equal(Vocabulary, Drawn(equal, new SamplingParameters { MinP = 1 }, draws: 20_000).Count());
    }

    [Fact]
    public void Top_k_keeps_so_many_and_min_p_what_is_near_the_likeliest()
    {
        var logits = Shares((9, 5), (4, 3), (7, 1), (2, 1));

        Assert.Equal([9], Drawn(logits, new SamplingParameters { TopK = 1 }));
        Assert.Equal([2, 4, 9], Drawn(logits, new SamplingParameters { TopK = 3 }));
        Assert.Equal([4, 9], Drawn(logits, new SamplingParameters { MinP = 0.5f }));
        Assert.Equal([2, 4, 7, 9], Drawn(logits, new SamplingParameters { MinP = 0.19f }));
    }

    /// <summary>
    /// Of ½, ¼ and 16 times 1/64 the entropy is 0.34 + 0.35 + 1.04 = 1.73 nats; ¼ (1.39 nats) is nearest, then ½ (0.69), and 1/64 (4.16) last.
    /// </summary>
    [Fact]
    public void Typical_p_prefers_what_tells_as_much_as_the_distribution_does_on_average()
    {
        var logits = Shares([(9, 32), (4, 16), .. Enumerable.Range(100, 16).Select(id => (id, 1))]);

        Assert.Equal([4], Drawn(logits, new SamplingParameters { TypicalP = 0.2f }));
        Assert.Equal([4, 9], Drawn(logits, new SamplingParameters { TypicalP = 0.3f }));
        Assert.Equal([4, 9, 100], Drawn(logits, new SamplingParameters { TypicalP = 0.76f }));
    }

    [Fact]
    public void Filters_see_what_those_before_them_kept()
    {
        // Of 5, 3, 1, 1 the two likeliest are 5/8 and 3/8: top-p 0.6 keeps one, where of all four it keeps two.
        var logits = Shares((9, 5), (4, 3), (7, 1), (2, 1));

        Assert.Equal([4, 9], Drawn(logits, new SamplingParameters { TopP = 0.6f }));
        Assert.Equal([9], Drawn(logits, new SamplingParameters { TopP = 0.6f, TopK = 2 }));
        Assert.Equal([9], Drawn(logits, new SamplingParameters { TopP = 0.6f, MinP = 0.5f }));
    }

    [Theory]
    [InlineData(1e-30f)]
    [InlineData(float.Epsilon)]
    [InlineData(1.1e-5f)]
    public void A_vanishing_temperature_is_greedy(float temperature)
    {
        var logits = SamplerHarness.Logits(new Random(3), Vocabulary, 4);

        Assert.Equal(_sampler.Draw(logits, SamplingParameters.Greedy, 0), _sampler.Draw(logits, _drawn with { Temperature = temperature }, 0));
    }

    private static float[] Filled(float value)
    {
        var logits = new float[Vocabulary];
        Array.Fill(logits, value);
        return logits;
    }

    /// <summary>Logits of tokens whose probabilities are to each other as the numbers say; no other token has one.</summary>
    private static float[] Shares(params ReadOnlySpan<(int Id, int Share)> tokens)
    {
        var logits = Filled(float.NegativeInfinity);
        foreach (var (id, share) in tokens)
        {
            logits[id] = MathF.Log(share);
        }

        return logits;
    }

    private bool TrySample(float[] logits, SamplingParameters parameters) =>
        _sampler.TrySample(SamplerHarness.Input(logits, parameters, [0], 1), out _);

    private IEnumerable<int> Drawn(float[] logits, SamplingParameters parameters, int draws = 400) =>
        Enumerable.Range(0, draws).Select(i => _sampler.Draw(logits, parameters with { Seed = 11 }, i)).Distinct().Order();
}
