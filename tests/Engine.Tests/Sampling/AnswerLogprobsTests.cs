using Serving.Engine.Sampling;

namespace Serving.Engine.Tests.Sampling;

public sealed class AnswerLogprobsTests
{
    private const int Vocabulary = 300;

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    public void Keeps_every_tokens_own_and_the_likeliest(int top)
    {
        const int tokens = 150;
        var sampler = new Sampler(Vocabulary);
        var kept = new AnswerLogprobs(tokens, top);
        var rows = Enumerable.Range(0, tokens).Select(i => SamplerHarness.Logits(new Random(i), Vocabulary, 6)).ToArray();
        for (var i = 0; i < tokens; i++)
        {
            kept.Add(sampler, rows[i], i);
        }

        var expected = new TokenLogprob[top];
        for (var i = 0; i < tokens; i++)
        {
            var own = sampler.Logprob(rows[i], i, expected);
            Assert.Equal([new TokenLogprob(i, own), .. expected], kept[i].ToArray());
        }
    }
}
