namespace Serving.Gateway.Tests.Support;

/// <summary>A request that the gateway has to refuse by itself.</summary>
/// <param name="Mistake">What kind of mistake it has.</param>
/// <param name="Status">The status that it has to be refused with.</param>
/// <param name="Param">The field or query parameter at fault; null: none is.</param>
internal sealed record InvalidRequest(Mistake Mistake, HttpMethod Method, string Path, int Status, string? Param, byte[]? Body = null)
{
    public string? ContentType { get; init; } = "application/json";

    public string? ContentEncoding { get; init; }

    public HttpRequestMessage ToMessage()
    {
        var message = new HttpRequestMessage(Method, Path);
        if (Body is not null)
        {
            message.Content = new ByteArrayContent(Body);
            if (ContentType is not null)
            {
                message.Content.Headers.TryAddWithoutValidation("Content-Type", ContentType);
            }

            if (ContentEncoding is not null)
            {
                message.Content.Headers.ContentEncoding.Add(ContentEncoding);
            }
        }

        return message;
    }

    public override string ToString()
    {
        const int shownMax = 200;
        var body = System.Text.Encoding.UTF8.GetString(Body ?? []);
        return $"{Mistake} {Param}: {Method} {Path} {(body.Length > shownMax ? $"{body[..shownMax]}… ({body.Length})" : body)}";
    }
}

internal enum Mistake
{
    Syntax,
    Null,
    WrongType,
    Missing,
    OutOfRange,
    UnknownWord,
    Overflow,
    DeepNesting,
    TooLarge,
    InvalidUtf8,
    LoneSurrogate,
    Duplicate,
    MediaType,
}
