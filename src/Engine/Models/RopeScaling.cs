namespace Serving.Engine.Models;

/// <summary>The ways to stretch RoPE to longer contexts.</summary>
internal enum RopeScalingKind
{
    None,
    Linear,
    Llama3,
    Yarn,
    LongRope,
}

/// <summary>What a model says of its rotation; null or the neutral value where it is silent.</summary>
internal sealed record RopeScaling
{
    public double Theta { get; init; }

    public RopeScalingKind Kind { get; init; }

    /// <summary>How many times longer than before the context becomes.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>What the turned elements are multiplied with.</summary>
    public double? Magnitude { get; init; }

    /// <summary>The context before it was stretched.</summary>
    public int OriginalContext { get; init; }

    public double BetaFast { get; init; } = 32;

    public double BetaSlow { get; init; } = 1;

    /// <summary>Whether YaRN's ramp begins and ends at whole pairs.</summary>
    public bool? Truncate { get; init; }

    public double LowFrequencyFactor { get; init; } = 1;

    public double HighFrequencyFactor { get; init; } = 1;

    /// <summary>Divisors of the frequencies.</summary>
    public float[]? Factors { get; init; }

    /// <summary>Divisors where sequences are longer than the original context.</summary>
    public float[]? LongFactors { get; init; }

    /// <summary>Divisors where they are not.</summary>
    public float[]? ShortFactors { get; init; }
}
