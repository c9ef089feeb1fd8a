namespace Serving.Embeddings;

/// <summary>A file is not a sentence embedder that can be run; the message says which and why.</summary>
public sealed class SentenceModelException(string message, Exception? inner = null) : Exception(message, inner);
