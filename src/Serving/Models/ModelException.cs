namespace Serving.Cli.Models;

/// <summary>A model cannot be fetched, added, removed or found; the message says what is wrong and what helps.</summary>
internal sealed class ModelException(string message, Exception? inner = null) : Exception(message, inner);
