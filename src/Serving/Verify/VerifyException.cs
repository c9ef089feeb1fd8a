namespace Serving.Cli.Verify;

/// <summary>A file to verify cannot be read or is not in its form. The message names file and field.</summary>
internal sealed class VerifyException(string message) : Exception(message);
