using Serving.Engine.Sampling;

namespace Serving.Engine.Tests.Sampling;

public sealed class SamplerAllocationTests
{
    private const int Vocabulary = 5_000;

    /// <summary>Every path: greedy, each filter, all of them, adjustments, log probabilities.</summary>
    [Fact]
    public void Sampling_allocates_nothing()
    {
        var everything = new SamplingParameters
        {
            Temperature = 0.7f,
            TopK = 40,
            TopP = 0.9f,
            MinP = 0.01f,
            TypicalP = 0.9f,
            RepetitionPenalty = 1.1f,
            FrequencyPenalty = 0.5f,
            PresencePenalty = 0.5f,
            LogitBias = new TokenBias[] { new(3, 1), new(4, -1) },
            MinTokens = 1_000,
        };
        SamplingParameters[] settings =
        [
            SamplingParameters.Greedy, new(), new() { TopP = 0.9f }, new() { TopK = 40 }, new() { MinP = 0.05f }, new() { TypicalP = 0.9f }, everything,
        ];
        var sampler = new Sampler(Vocabulary);
        var logits = SamplerHarness.Logits(new Random(3), Vocabulary, 8);
        var tokens = new int[200];
        var top = new TokenLogprob[SamplingParameters.TopLogprobsMax];

        void Run(int rounds)
        {
            for (var i = 0; i < rounds; i++)
            {
                foreach (var parameters in settings)
                {
                    sampler.TrySample(SamplerHarness.Input(logits, parameters, tokens.AsSpan(0, 100 + i), 100, [7]), out var token);
                    sampler.Logprob(logits, token, top);
                }
            }
        }

        Run(2);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(10);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
