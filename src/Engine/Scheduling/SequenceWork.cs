namespace Serving.Engine.Scheduling;

/// <summary>What is to be done for a sequence.</summary>
public enum SequenceWork
{
    /// <summary>Compute the prompt here, then sample.</summary>
    Generate,

    /// <summary>
    /// Reserve the prompt's blocks and wait until the caller has filled them with a KV cache computed elsewhere; then compute the
    /// tokens that are missing, at least the last, and sample. When the KV cache does not come, the whole prompt is computed here.
    /// </summary>
    GenerateFromRemoteKv,

    /// <summary>Compute the prompt and keep its blocks until the caller, who sends them elsewhere, releases them.</summary>
    PrefillOnly,

    /// <summary>Compute the prompt for <see cref="Sequence.HiddenSum"/>, and end. Its tokens are all computed: none is found in the prefix cache.</summary>
    Embed,
}
