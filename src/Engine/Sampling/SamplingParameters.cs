namespace Serving.Engine.Sampling;

/// <summary>
/// How the next token is chosen. The transforms run in one order, whatever the order of the fields:
/// <list type="number">
/// <item>repetition penalty, over prompt and answer;</item>
/// <item>frequency and presence penalty, over the answer;</item>
/// <item>logit bias: after the penalties, so that ±100 stays what it says;</item>
/// <item>end tokens masked while the answer is shorter than <see cref="MinTokens"/>;</item>
/// <item>tokens masked that a constraint forbids (<see cref="SamplingInput.Constraint"/>);</item>
/// <item>greedy choice, where it is asked for; else the temperature;</item>
/// <item>top-k and min-p (they commute), then typical-p, then top-p, each over what those before it kept, renormalised;</item>
/// <item>the draw.</item>
/// </list>
/// Log probabilities are those of the model: of the logits before every transform, as OpenAI and vLLM report them.
/// </summary>
public sealed record SamplingParameters
{
    /// <summary>Most log probabilities of other tokens that an answer token can carry.</summary>
    public const int TopLogprobsMax = 20;

    // A lower temperature leaves no token but the likeliest a weight that a float could tell from 0, and its reciprocal overflows.
    private const float TemperatureMin = 1e-5f;

    /// <summary>The largest logit, the lowest id among equals.</summary>
    public static SamplingParameters Greedy { get; } = new() { Temperature = 0 };

    /// <summary>Divides the logits; 0 is greedy, and so is everything below 1e-5.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Only so many of the likeliest tokens can be drawn, the lower ids among equals; 0 is off. Fan, Lewis, Dauphin 2018.</summary>
    public int TopK { get; init; }

    /// <summary>Mass in (0, 1]: only the fewest likeliest tokens that together reach it can be drawn; 1 is off. Holtzman et al. 2019.</summary>
    public float TopP { get; init; } = 1;

    /// <summary>In [0, 1]: only tokens of at least this share of the likeliest one's probability can be drawn; 0 is off. Nguyen et al. 2024.</summary>
    public float MinP { get; init; }

    /// <summary>
    /// Mass in (0, 1]: only the fewest tokens that together reach it can be drawn, those first whose information is nearest to the
    /// distribution's entropy; 1 is off. Meister, Pimentel, Wiher, Cotterell: Locally Typical Sampling, 2022.
    /// </summary>
    public float TypicalP { get; init; } = 1;

    /// <summary>
    /// Above 0; 1 is off. Divides the positive logits of tokens that prompt or answer hold, and multiplies the negative ones. Keskar et al.:
    /// CTRL, 2019.
    /// </summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Is taken from a token's logit once for each time that the answer holds it. OpenAI's.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Is taken from a token's logit once when the answer holds it. OpenAI's.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Added to the logits of single tokens.</summary>
    public ReadOnlyMemory<TokenBias> LogitBias { get; init; }

    /// <summary>The answer does not end by an end token before it has this many tokens.</summary>
    public int MinTokens { get; init; }

    /// <summary>
    /// Whether the log probability of every answer token is kept, and of how many of the likeliest tokens in its place; null: of none.
    /// </summary>
    public int? Logprobs { get; init; }

    /// <summary>
    /// Whether the same is kept of every prompt token but the first, which nothing goes before. Then the whole prompt is computed, even where blocks of it
    /// are cached.
    /// </summary>
    public bool PromptLogprobs { get; init; }

    /// <summary>Random numbers are drawn from (seed, choice, position): the same seed gives the same text whatever else is in the batch.</summary>
    public long Seed { get; init; }

    /// <summary>Index of the answer among those of its request.</summary>
    public int Choice { get; init; }

    public bool IsGreedy => Temperature < TemperatureMin;

    internal bool HasPenalties => RepetitionPenalty != 1 || FrequencyPenalty != 0 || PresencePenalty != 0;

    /// <summary>Throws when a value is outside its range: who takes requests has to look for faults before.</summary>
    /// <param name="vocabularySize">Width of the model's logits.</param>
    /// <exception cref="ArgumentOutOfRangeException">Names the property and its range.</exception>
    public void ThrowIfInvalid(int vocabularySize)
    {
        if (FindFault(vocabularySize) is { } fault)
        {
            throw new ArgumentOutOfRangeException(fault.Property, fault.Value, $"{fault.Property} {fault.Requirement}.");
        }
    }

    /// <summary>The first value outside its range, or null.</summary>
    /// <param name="vocabularySize">Width of the model's logits.</param>
    public SamplingFault? FindFault(int vocabularySize) =>
        Fault(Temperature >= 0 && float.IsFinite(Temperature), nameof(Temperature), Temperature, "must be a finite number of at least 0")
        ?? Fault(TopK >= 0, nameof(TopK), TopK, "must be at least 0")
        ?? Fault(TopP > 0 && TopP <= 1, nameof(TopP), TopP, "must lie above 0 and at most at 1")
        ?? Fault(MinP >= 0 && MinP <= 1, nameof(MinP), MinP, "must lie between 0 and 1")
        ?? Fault(TypicalP > 0 && TypicalP <= 1, nameof(TypicalP), TypicalP, "must lie above 0 and at most at 1")
        ?? Fault(
            RepetitionPenalty > 0 && float.IsFinite(RepetitionPenalty), nameof(RepetitionPenalty), RepetitionPenalty,
            "must be a finite number above 0")
        ?? Fault(float.IsFinite(FrequencyPenalty), nameof(FrequencyPenalty), FrequencyPenalty, "must be a finite number")
        ?? Fault(float.IsFinite(PresencePenalty), nameof(PresencePenalty), PresencePenalty, "must be a finite number")
        ?? FindBiasFault(vocabularySize)
        ?? Fault(MinTokens >= 0, nameof(MinTokens), MinTokens, "must be at least 0")
        ?? Fault(
            Logprobs is null || (Logprobs >= 0 && Logprobs <= Math.Min(TopLogprobsMax, vocabularySize)), nameof(Logprobs), Logprobs,
            $"must be null or lie between 0 and {Math.Min(TopLogprobsMax, vocabularySize)}")
        ?? Fault(Choice >= 0, nameof(Choice), Choice, "must be at least 0");

    private SamplingFault? FindBiasFault(int vocabularySize)
    {
        foreach (var bias in LogitBias.Span)
        {
            var fault = Fault(
                    (uint)bias.TokenId < (uint)vocabularySize, nameof(LogitBias), bias.TokenId,
                    $"must name tokens from 0 to {vocabularySize - 1}, not {bias.TokenId}")
                ?? Fault(float.IsFinite(bias.Bias), nameof(LogitBias), bias.Bias, "must add finite numbers");
            if (fault is not null)
            {
                return fault;
            }
        }

        return null;
    }

    private static SamplingFault? Fault(bool holds, string property, object? value, string requirement) =>
        holds ? null : new SamplingFault(property, value, requirement);
}
