using Serving.Engine.Sampling;

namespace Serving.Engine.Tests.Sampling;

internal static class SamplerHarness
{
    /// <summary>One choice, which must be possible, after a prompt of one token and an answer of so many that the position is right.</summary>
    public static int Draw(this Sampler sampler, float[] logits, SamplingParameters parameters, int position)
    {
        Assert.True(sampler.TrySample(Input(logits, parameters, new int[position], position), out var token));
        return token;
    }

    public static int Draw(this Sampler sampler, SamplerReference setting, long seed)
    {
        int[] tokens = [.. setting.Prompt, .. setting.Answer];
        var input = Input(setting.Logits, setting.Parameters with { Seed = seed }, tokens, setting.Prompt.Length, setting.EndTokens);
        Assert.True(sampler.TrySample(input, out var token));
        return token;
    }

    public static SamplingInput Input(
        float[] logits, SamplingParameters parameters, ReadOnlySpan<int> tokens, int promptLength, ReadOnlySpan<int> endTokens = default) => new()
        {
            Logits = logits,
            Parameters = parameters,
            Tokens = tokens,
            PromptLength = promptLength,
            EndTokens = endTokens,
        };

    /// <summary>Sums of three uniform numbers: a few logits stand out, as a model's do.</summary>
    public static float[] Logits(Random random, int count, float spread)
    {
        var logits = new float[count];
        for (var id = 0; id < logits.Length; id++)
        {
            logits[id] = (float)((random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) * spread);
        }

        return logits;
    }
}
