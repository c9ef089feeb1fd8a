using System.ComponentModel.DataAnnotations;

namespace Serving.Engine.Scheduling;

/// <summary>The scheduler's budgets.</summary>
public sealed record SchedulerOptions
{
    /// <summary>Most rows (tokens) of a step. Default 512: more makes prompts cheaper and the pauses of running answers longer.</summary>
    [Range(1, 65_536)]
    public int BatchTokensMax { get; init; } = 512;

    /// <summary>Most sequences that run, or wait for a KV cache from elsewhere. Default 64. At most <see cref="BatchTokensMax"/>.</summary>
    [Range(1, 4_096)]
    public int RunningSequencesMax { get; init; } = 64;

    /// <summary>Most sequences that wait to be admitted; one more is refused. Default 256.</summary>
    [Range(1, 65_536)]
    public int WaitingSequencesMax { get; init; } = 256;

    /// <summary>Most of them that one tenant may have waiting; callers without a tenant may have all. Default 192.</summary>
    [Range(1, 65_536)]
    public int WaitingSequencesPerTenantMax { get; init; } = 192;

    /// <summary>
    /// How long a step should take: prompt chunks are made so short, but never shorter than a block. Default 100 ms: what a cancellation or the
    /// next token of a running answer waits for.
    /// </summary>
    public TimeSpan StepTimeMax { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Whether computed blocks are kept for prompts with the same beginning. Default true.</summary>
    public bool PrefixCache { get; init; } = true;

    /// <summary>Most guessed tokens of a step, over all sequences (<see cref="Speculation.PromptLookup"/>); 0, the default: no speculation.</summary>
    [Range(0, 256)]
    public int DraftsMax { get; init; }
}
