namespace Serving.Gateway.Chat;

/// <summary>What all parts of one chat answer repeat.</summary>
/// <param name="Id"><c>chatcmpl-…</c></param>
/// <param name="Created">Unix seconds.</param>
/// <param name="Model">The served model's name.</param>
/// <param name="SystemFingerprint">Changes when the same seed may give another text.</param>
internal sealed record ChatAnswerId(string Id, long Created, string Model, string SystemFingerprint)
{
    private const int FingerprintLength = 12;

    /// <summary>The tier that the request is served in, where it named one.</summary>
    public string? ServiceTier { get; init; }

    public static ChatAnswerId New(string model, string kvFingerprint, DateTimeOffset now)
    {
        var shortened = new string([.. kvFingerprint.Where(char.IsAsciiLetterOrDigit).Take(FingerprintLength)]);
        return new ChatAnswerId($"chatcmpl-{Guid.NewGuid():N}", now.ToUnixTimeSeconds(), model, $"fp_{shortened}");
    }
}
