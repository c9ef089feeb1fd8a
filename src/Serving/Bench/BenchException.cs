namespace Serving.Cli.Bench;

/// <summary>A benchmark cannot be run or means nothing; the message says what is wrong and what helps.</summary>
internal sealed class BenchException(string message, Exception? inner = null) : Exception(message, inner);
