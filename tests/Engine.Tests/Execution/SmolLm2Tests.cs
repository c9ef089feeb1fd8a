using System.Text.Json;
using Serving.TestKit;

namespace Serving.Engine.Tests;

/// <summary>The default model against the recorded reference, and the fast class against llama.cpp's distance from the same reference.</summary>
public sealed class SmolLm2Tests(SmolLm2Fixture models, ITestOutputHelper output) : IClassFixture<SmolLm2Fixture>
{
    private static readonly JsonElement _golden = GoldenFixtures.Json("smollm2", "golden.json");
    private static readonly GoldenCase[] _chats = [.. _golden.GetProperty("chat").EnumerateArray().Select(chat => GoldenFixtures.Case(chat, "prompt_ids"))];

    [Fact]
    public void All_chats_are_token_exact_in_fp32() => Assert.Empty(GoldenGreedy.Differences(new StepDriver(models.Fp32), _chats));

    [Fact]
    public void The_fast_class_knows_the_capital_of_France() =>
        Assert.Empty(GoldenGreedy.Differences(new StepDriver(models.Fast), [_chats[0]]));

    [Fact]
    public void Log_probabilities_of_texts_match_and_the_fast_class_is_as_near_as_llama_cpp()
    {
        SafetensorsFile golden = GoldenFixtures.Tensors("smollm2", "golden.safetensors");
        var total = new Distance();
        double recordedKl = 0;
        double recordedAgreement = 0;
        int text = 0;
        foreach (JsonElement recorded in _golden.GetProperty("texts").EnumerateArray())
        {
            Distance distance = Measure(golden, text, out float largestError, out double nll);
            JsonElement peer = recorded.GetProperty("llama_cpp");
            output.WriteLine($"text {text}: mean KL {distance.MeanKl:F6} (llama.cpp {peer.GetProperty("mean_kl").GetDouble():F6}), "
                + $"top-1 {distance.Top1Agreement:F4} (llama.cpp {peer.GetProperty("top1_agreement").GetDouble():F4}), largest log-probability error {largestError:F5}");

            // The recorded log-probabilities are halves: near -16 they are 1/128 apart.
            Assert.InRange(largestError, 0, 0.01f);
            Assert.Equal(recorded.GetProperty("nll").GetDouble(), nll, 1e-3);
            total.Add(distance);
            recordedKl += peer.GetProperty("mean_kl").GetDouble() * distance.Tokens;
            recordedAgreement += peer.GetProperty("top1_agreement").GetDouble() * distance.Tokens;
            text++;
        }

        output.WriteLine($"all: mean KL {total.MeanKl:F6} (llama.cpp {recordedKl / total.Tokens:F6}), "
            + $"top-1 {total.Top1Agreement:F4} (llama.cpp {recordedAgreement / total.Tokens:F4})");
        Assert.InRange(total.MeanKl, 0, 1.05 * recordedKl / total.Tokens);
        Assert.InRange(total.Top1Agreement, (recordedAgreement / total.Tokens) - 0.01, 1);
    }

    private Distance Measure(SafetensorsFile golden, int text, out float largestError, out double nll)
    {
        int[] tokens = golden.Int32s($"tokens.{text}");
        int[] topIds = golden.Int32s($"top32.ids.{text}");
        float[] topLogProbabilities = golden.Floats($"top32.logprobs.{text}");
        int top = golden.Shape($"top32.ids.{text}")[1];
        var distance = new Distance();
        double negativeLogLikelihood = 0;
        largestError = 0;
        int position = 0;
        foreach ((float[] reference, float[] fast) in new StepDriver(models.Fp32).AllLogits(tokens).Zip(new StepDriver(models.Fast).AllLogits(tokens)))
        {
            double[] logP = LogProbabilities(reference);
            distance.Add(logP, LogProbabilities(fast));
            for (int i = 0; i < top; i++)
            {
                int at = (position * top) + i;
                largestError = Math.Max(largestError, (float)Math.Abs(topLogProbabilities[at] - logP[topIds[at]]));
            }

            position++;
            negativeLogLikelihood -= position < tokens.Length ? logP[tokens[position]] : 0;
        }

        nll = negativeLogLikelihood / (tokens.Length - 1);
        return distance;
    }

    private static double[] LogProbabilities(float[] logits)
    {
        double max = logits.Max();
        double logSum = max + Math.Log(logits.Sum(logit => Math.Exp(logit - max)));
        return Array.ConvertAll(logits, logit => logit - logSum);
    }

    /// <summary>Kullback-Leibler divergence over the full vocabulary and agreement of the first choice, summed over positions.</summary>
    private sealed class Distance
    {
        private double _kl;
        private int _agreed;

        public int Tokens { get; private set; }

        public double MeanKl => _kl / Tokens;

        public double Top1Agreement => (double)_agreed / Tokens;

        public void Add(double[] logP, double[] logQ)
        {
            for (int i = 0; i < logP.Length; i++)
            {
                _kl += Math.Exp(logP[i]) * (logP[i] - logQ[i]);
            }

            _agreed += Array.IndexOf(logP, logP.Max()) == Array.IndexOf(logQ, logQ.Max()) ? 1 : 0;
            Tokens++;
        }

        public void Add(Distance other)
        {
            _kl += other._kl;
            _agreed += other._agreed;
            Tokens += other.Tokens;
        }
    }
}
