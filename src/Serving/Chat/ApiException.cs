namespace Serving.Cli.Chat;

/// <summary>The API refused or broke off; the message is for people.</summary>
internal sealed class ApiException(string message) : Exception(message);
