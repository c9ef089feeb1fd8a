namespace Serving.Gateway.Generation;

/// <summary>What every part of an answer may have to repeat.</summary>
/// <param name="Model">The served model's name.</param>
/// <param name="SystemFingerprint">Changes when the same seed may give another text.</param>
/// <param name="CreatedAt">When the request was placed.</param>
/// <param name="RequestId">The <c>x-request-id</c>.</param>
internal sealed record AnswerStamp(string Model, string SystemFingerprint, DateTimeOffset CreatedAt, string RequestId)
{
    private const int FingerprintLength = 12;

    /// <summary>The same in Unix seconds.</summary>
    public long Created => CreatedAt.ToUnixTimeSeconds();

    public static AnswerStamp Of(string model, string kvFingerprint, DateTimeOffset now, string requestId)
    {
        var shortened = new string([.. kvFingerprint.Where(char.IsAsciiLetterOrDigit).Take(FingerprintLength)]);
        return new AnswerStamp(model, $"fp_{shortened}", now, requestId);
    }
}
