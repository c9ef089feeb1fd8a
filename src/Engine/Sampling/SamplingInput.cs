using Serving.Grammars;

namespace Serving.Engine.Sampling;

/// <summary>All that the choice of one token depends on.</summary>
public readonly ref struct SamplingInput
{
    /// <summary>One row, as wide as the vocabulary, as the model gave it. It is not changed.</summary>
    public required ReadOnlySpan<float> Logits { get; init; }

    public required SamplingParameters Parameters { get; init; }

    /// <summary>Prompt and answer so far. How many they are is the position of the token that is chosen.</summary>
    public required ReadOnlySpan<int> Tokens { get; init; }

    /// <summary>How many of <see cref="Tokens"/> are the prompt's.</summary>
    public required int PromptLength { get; init; }

    /// <summary>Tokens that would end the answer; they cannot be chosen before <see cref="SamplingParameters.MinTokens"/>.</summary>
    public ReadOnlySpan<int> EndTokens { get; init; }

    /// <summary>Says which tokens may be chosen; null: any.</summary>
    public GrammarMatcher? Constraint { get; init; }

    internal ReadOnlySpan<int> Answer => Tokens[PromptLength..];
}
