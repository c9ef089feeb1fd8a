namespace Serving.Engine.Scheduling;

/// <summary>Why a sequence is not taken.</summary>
public enum RefusalReason
{
    /// <summary>Too many wait already: try again later, or elsewhere.</summary>
    QueueFull,

    /// <summary>Too many of the same tenant wait already; others' are still taken.</summary>
    TenantQueueFull,

    /// <summary>The prompt, with a token of answer, is longer than the model's context.</summary>
    ContextExceeded,

    /// <summary>The prompt, with a token of answer, has no room in the KV cache even when it is empty.</summary>
    PoolTooSmall,

    /// <summary>The prompt holds an id that is not in the vocabulary.</summary>
    UnknownToken,

    /// <summary>The engine takes no more work: it is being stopped.</summary>
    Stopping,

    /// <summary>The engine has met a bug and stopped itself.</summary>
    EngineFailed,
}
