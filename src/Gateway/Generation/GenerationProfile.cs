using Serving.Contracts.Internal;

namespace Serving.Gateway.Generation;

/// <summary>What the engine is asked, whichever API asks: all that the gateway needs to know of a request after reading its body once.</summary>
internal sealed record GenerationProfile
{
    /// <summary>The model's name as the client wrote it, not resolved.</summary>
    public required string Model { get; init; }

    /// <summary>At least one. Each is answered by itself, wherever there is room.</summary>
    public required IReadOnlyList<Prompt> Prompts { get; init; }

    public required SamplingParameters Sampling { get; init; }

    public required StopConditions Stop { get; init; }

    /// <summary>Answers to be given to each prompt.</summary>
    public int Choices { get; init; } = 1;

    /// <summary>Answers to be computed for each prompt, of which the best are given.</summary>
    public int BestOf { get; init; } = 1;

    /// <summary>Whether the prompts are wanted back, with the log probabilities of their tokens where those of answers are.</summary>
    public bool Echo { get; init; }

    /// <summary>Who goes first.</summary>
    public Priority Priority { get; init; }

    /// <summary>Only requests with the same salt share computed KV blocks (vLLM's <c>cache_salt</c>).</summary>
    public string CacheSalt { get; init; } = "";

    /// <summary>What may be called; null: nothing.</summary>
    public ToolParameters? Tools { get; init; }

    /// <summary>What the answer's text must be; null: anything.</summary>
    public Constraint? Constraint { get; init; }
}
