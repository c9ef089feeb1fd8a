namespace Serving.Storage;

/// <summary>
/// Names of stored things: a prefix and a UUID of version 7 (RFC 9562), which begins with the time. So the order of the names is the order
/// of creation, and a page can go on after a name whose thing has been deleted since.
/// </summary>
public static class StoreId
{
    private const int LengthMax = 128;

    public static string New(string prefix, DateTimeOffset now) => $"{prefix}{Guid.CreateVersion7(now):N}";

    /// <summary>Whether a text that a client sent can be the name of something stored.</summary>
    public static bool IsValid(string text) =>
        text.Length is > 0 and <= LengthMax && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
