using CsCheck;
using Serving.Engine.Sampling;

namespace Serving.Engine.Tests.Sampling;

/// <summary>The sampler against <see cref="SamplerReference"/>, on random logits with random parameters.</summary>
public sealed class SamplerPropertyTests
{
    private const int Vocabulary = 1_003;
    private const int Draws = 4_000;
    private const double Slack = 1e-4;

    private readonly Sampler _sampler = new(Vocabulary);

    /// <summary>Repetition, frequency and presence penalties, bias and end tokens.</summary>
    private static Gen<SamplingParameters> Adjustments { get; } = Gen.Select(
        Gen.Float[0.5f, 2f], Gen.Float[-2f, 2f], Gen.Float[-2f, 2f], Gen.Int[0, 40],
        Gen.Select(Gen.Int[0, Vocabulary - 1], Gen.Float[-100f, 100f], (id, bias) => new TokenBias(id, bias)).Array[0, 8],
        (repetition, frequency, presence, minTokens, bias) => new SamplingParameters
        {
            Temperature = 0,
            RepetitionPenalty = repetition,
            FrequencyPenalty = frequency,
            PresencePenalty = presence,
            MinTokens = minTokens,
            LogitBias = bias,
        });

    /// <summary>Seeds are fixed: a test of frequencies that passes does so always.</summary>
    [Fact]
    public void Tokens_come_as_often_as_the_reference_says()
    {
        var compared = 0;
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var setting = Setting(seed, spread: 0.1f + (12 * random.NextSingle()), Filters(random));
            if (IsDecidedByRounding(setting))
            {
                continue;
            }

            compared++;
            var counts = new int[Vocabulary];
            for (var i = 0; i < Draws; i++)
            {
                counts[_sampler.Draw(setting, seed + ((long)i << 20))]++;
            }

            ChiSquare.Check(counts, setting.Probabilities());
        }

        Assert.True(compared > 150, $"only {compared} settings were clear enough to compare");
    }

    /// <summary>With all of a row's adjustments on, greedy choice finds what the reference's largest adjusted logit is.</summary>
    [Fact]
    public void Adjusted_logits_have_the_references_largest() =>
        Gen.Select(Gen.Int[0, 100_000], Gen.Float[0.1f, 12f], Adjustments).Sample(
            (seed, spread, parameters) =>
            {
                var setting = Setting(seed, spread, parameters);
                var adjusted = setting.Adjusted();
                var token = _sampler.Draw(setting, seed: 0);
                Assert.InRange(adjusted[token], adjusted.Max() - 1e-3, double.PositiveInfinity);
            },
            iter: 500,
            threads: 1);

    /// <summary>Every adjusted logit, not only the largest.</summary>
    [Fact]
    public void Every_adjusted_logit_is_the_references() =>
        Gen.Select(Gen.Int[0, 100_000], Adjustments).Sample(
            (seed, parameters) =>
            {
                var setting = Setting(seed, 6, parameters);
                int[] tokens = [.. setting.Prompt, .. setting.Answer];
                var adjustments = new LogitAdjustments(Vocabulary);
                var input = SamplerHarness.Input(setting.Logits, parameters, tokens, setting.Prompt.Length, setting.EndTokens);

                // Twice: the counts of the first call must be gone.
                _ = adjustments.Apply(input);
                var actual = adjustments.Apply(input).ToArray();

                Assert.All(setting.Adjusted().Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
            },
            iter: 200,
            threads: 1);

    [Fact]
    public void Log_probabilities_are_those_of_the_models_own_logits() =>
        Gen.Select(Gen.Int[0, 100_000], Gen.Float[0.1f, 12f], Gen.Int[0, SamplingParameters.TopLogprobsMax]).Sample(
            (seed, spread, count) =>
            {
                // Rounded, so that equal logits occur.
                var logits = SamplerHarness.Logits(new Random(seed), Vocabulary, spread).Select(logit => MathF.Round(logit, 2)).ToArray();
                var sum = Math.Log(logits.Sum(logit => Math.Exp(logit)));
                var top = new TokenLogprob[count];
                var chosen = _sampler.Logprob(logits, 700, top);

                Assert.Equal(logits[700] - sum, chosen, 1e-4);
                var order = Enumerable.Range(0, Vocabulary).OrderByDescending(id => logits[id]).ThenBy(id => id).Take(count).ToArray();
                Assert.Equal(order, top.Select(token => token.TokenId));
                Assert.All(top, token => Assert.Equal(logits[token.TokenId] - sum, token.Logprob, 1e-4));
            },
            iter: 300,
            threads: 1);

    /// <summary>The cut of an order, by mass, as a full sort finds it.</summary>
    [Fact]
    public void Rank_selection_agrees_with_a_full_sort() =>
        Gen.Select(Gen.Select(Gen.UInt[0, uint.MaxValue], Gen.Int[1, 4]).Array[1, 400], Gen.Int[0, 31], Gen.Double[0, 1.1]).Sample(
            (elements, shift, share) =>
            {
                // A shift makes keys that agree in many digits, and equal ones. Whole weights add up exactly.
                var keys = elements.Select(element => element.Item1 >> shift).ToArray();
                var weights = elements.Select(element => (float)element.Item2).ToArray();
                var wanted = Math.Max(1, Math.Round(weights.Sum() * share));
                var cut = new RankSelection().FindMass(keys, weights, wanted);

                var mass = 0.0;
                foreach (var index in Enumerable.Range(0, keys.Length).OrderBy(index => keys[index]).ThenBy(index => index))
                {
                    Assert.Equal(mass < wanted, cut.Keeps(keys[index], index));
                    mass += weights[index];
                }
            },
            iter: 2_000,
            threads: 1);

    /// <summary>Temperature, top-k, min-p, typical-p and top-p, each on or off.</summary>
    private static SamplingParameters Filters(Random random)
    {
        bool Coin() => random.Next(2) == 0;
        return new SamplingParameters
        {
            Temperature = 0.3f + (1.7f * random.NextSingle()),
            TopK = Coin() ? random.Next(1, 300) : 0,
            MinP = Coin() ? 0.001f + (0.3f * random.NextSingle()) : 0,
            TypicalP = Coin() ? 0.1f + (0.89f * random.NextSingle()) : 1,
            TopP = Coin() ? 0.1f + (0.89f * random.NextSingle()) : 1,
        };
    }

    private static SamplerReference Setting(int seed, float spread, SamplingParameters parameters)
    {
        var random = new Random(seed);
        var logits = SamplerHarness.Logits(random, Vocabulary, spread);
        int[] Tokens(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(60))];
        return new SamplerReference(logits, parameters, Tokens(random.Next(1, 80)), Tokens(random.Next(0, 80)), Tokens(3));
    }

    private static bool IsDecidedByRounding(SamplerReference setting)
    {
        var lower = setting.Probabilities(-Slack).Select(p => p > 0);
        var upper = setting.Probabilities(Slack).Select(p => p > 0);
        return !lower.SequenceEqual(upper);
    }
}
