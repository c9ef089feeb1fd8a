namespace Serving.Worker;

/// <summary>The worker cannot start as it is configured; the message says what is wrong and how to mend it.</summary>
public sealed class WorkerStartException(string message, Exception? inner = null) : Exception(message, inner);
