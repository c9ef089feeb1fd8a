namespace Serving.Engine.Sampling;

/// <summary>How the next token is chosen.</summary>
/// <param name="Temperature">Divides the logits; 0 is greedy: the largest logit, the lowest id among equals.</param>
/// <param name="TopP">Nucleus mass in (0, 1]: only the likeliest tokens that together reach it can be drawn; 1 is off.</param>
/// <param name="Seed">Random numbers are drawn from (seed, choice, position).</param>
/// <param name="Choice">Index of the answer among those of its request.</param>
public readonly record struct SamplingParameters(float Temperature, float TopP, long Seed, int Choice)
{
    public static SamplingParameters Greedy { get; } = new(0, 1, 0, 0);

    public bool IsGreedy => Temperature == 0;

    /// <summary>Throws when a value is outside its range: who takes requests has to check before.</summary>
    public void ThrowIfInvalid()
    {
        if (!(Temperature >= 0 && float.IsFinite(Temperature)))
        {
            throw new ArgumentOutOfRangeException(nameof(Temperature), Temperature, "Temperature must be a finite number of at least 0.");
        }

        if (!(TopP > 0 && TopP <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(TopP), TopP, "TopP must lie above 0 and at most at 1.");
        }

        ArgumentOutOfRangeException.ThrowIfNegative(Choice);
    }
}
