using Serving.Engine.Sampling;

namespace Serving.Engine.Tests.Sampling;

public sealed class SamplingParametersTests
{
    private const int Vocabulary = 100;

    public static TheoryData<string, SamplingParameters> Invalid { get; } = new()
    {
        { nameof(SamplingParameters.Temperature), new() { Temperature = -0.1f } },
        { nameof(SamplingParameters.Temperature), new() { Temperature = float.NaN } },
        { nameof(SamplingParameters.Temperature), new() { Temperature = float.PositiveInfinity } },
        { nameof(SamplingParameters.TopK), new() { TopK = -1 } },
        { nameof(SamplingParameters.TopP), new() { TopP = 0 } },
        { nameof(SamplingParameters.TopP), new() { TopP = 1.01f } },
        { nameof(SamplingParameters.TopP), new() { TopP = float.NaN } },
        { nameof(SamplingParameters.MinP), new() { MinP = -0.01f } },
        { nameof(SamplingParameters.MinP), new() { MinP = 1.01f } },
        { nameof(SamplingParameters.TypicalP), new() { TypicalP = 0 } },
        { nameof(SamplingParameters.TypicalP), new() { TypicalP = 1.5f } },
        { nameof(SamplingParameters.RepetitionPenalty), new() { RepetitionPenalty = 0 } },
        { nameof(SamplingParameters.RepetitionPenalty), new() { RepetitionPenalty = float.PositiveInfinity } },
        { nameof(SamplingParameters.FrequencyPenalty), new() { FrequencyPenalty = float.NaN } },
        { nameof(SamplingParameters.PresencePenalty), new() { PresencePenalty = float.NegativeInfinity } },
        { nameof(SamplingParameters.LogitBias), new() { LogitBias = new TokenBias[] { new(Vocabulary, 1) } } },
        { nameof(SamplingParameters.LogitBias), new() { LogitBias = new TokenBias[] { new(-1, 1) } } },
        { nameof(SamplingParameters.LogitBias), new() { LogitBias = new TokenBias[] { new(3, float.NaN) } } },
        { nameof(SamplingParameters.MinTokens), new() { MinTokens = -1 } },
        { nameof(SamplingParameters.Logprobs), new() { Logprobs = -1 } },
        { nameof(SamplingParameters.Logprobs), new() { Logprobs = SamplingParameters.TopLogprobsMax + 1 } },
        { nameof(SamplingParameters.Choice), new() { Choice = -1 } },
    };

    [Theory]
    [MemberData(nameof(Invalid), DisableDiscoveryEnumeration = true)]
    public void A_value_outside_its_range_is_named(string property, SamplingParameters parameters)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => parameters.ThrowIfInvalid(Vocabulary));
        Assert.Equal(property, error.ParamName);
        Assert.Contains($"{property} must ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_and_borders_are_valid()
    {
        new SamplingParameters().ThrowIfInvalid(Vocabulary);
        SamplingParameters.Greedy.ThrowIfInvalid(Vocabulary);
        new SamplingParameters
        {
            TopK = int.MaxValue,
            MinP = 1,
            LogitBias = new TokenBias[] { new(0, -100), new(Vocabulary - 1, 100) },
            Logprobs = 0,
        }.ThrowIfInvalid(Vocabulary);
    }
}
