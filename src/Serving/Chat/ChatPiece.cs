namespace Serving.Cli.Chat;

/// <summary>A piece of an answer.</summary>
/// <param name="IsThought">The model wrote it for itself.</param>
internal readonly record struct ChatPiece(string Text, bool IsThought);
