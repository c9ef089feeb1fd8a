using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;
using Serving.Grammars;

namespace Serving.Worker.Loop;

/// <summary>What an engine is asked to do. Text, templates and stop strings are the caller's.</summary>
public sealed record SequenceRequest
{
    /// <summary>The request's id in logs.</summary>
    public required string RequestId { get; init; }

    /// <summary>At least one token; copied on submission.</summary>
    public required ReadOnlyMemory<int> PromptTokens { get; init; }

    public required SequenceWork Work { get; init; }

    /// <summary>How answer tokens are chosen; unused when only the prompt is computed.</summary>
    public SamplingParameters Sampling { get; init; } = SamplingParameters.Greedy;

    /// <summary>What the answer is held to; null: to nothing. The prompt is computed while it is compiled, and if that fails the caller gives the sequence up.</summary>
    public Task<CompiledGrammar>? Grammar { get; init; }

    /// <summary>Most answer tokens, at least 1; null: until the context, or the whole KV cache of the worker, is full.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Whose it is: tenants get equal shares of the engine. Default: nobody's in particular.</summary>
    public string Tenant { get; init; } = "";

    /// <summary>Higher ones go first.</summary>
    public SequencePriority Priority { get; init; }

    /// <summary>After how long it ends, done or not, at most a day; null: never.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Only requests with the same salt share computed blocks. Default: empty.</summary>
    public string CacheSalt { get; init; } = "";

    /// <summary>
    /// Another sequence of this engine with the same prompt and salt, or null: another answer to it. Its prompt is not computed again, whether prefixes are cached or not.
    /// </summary>
    public SequenceHandle? ForkOf { get; init; }

    /// <summary>Tokens that end the answer. Such a token is output too, and counts.</summary>
    public ReadOnlyMemory<int> EndTokens { get; init; }
}
