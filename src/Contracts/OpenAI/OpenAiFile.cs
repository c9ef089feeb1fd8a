namespace Serving.Contracts.OpenAI;

/// <summary>A stored file, as <c>/v1/files</c> shows it and as its document is kept.</summary>
/// <param name="Id"><c>file-…</c></param>
/// <param name="Bytes">The length of its contents.</param>
/// <param name="CreatedAt">Unix seconds.</param>
/// <param name="ExpiresAt">Unix seconds; then it is gone.</param>
/// <param name="Filename">As the client called it.</param>
/// <param name="Purpose">What it is for: <c>batch</c>.</param>
public sealed record OpenAiFile(string Id, long Bytes, long CreatedAt, long ExpiresAt, string Filename, string Purpose)
{
    public string Object { get; } = "file";

    /// <summary>There is no processing that a file would wait for.</summary>
    public string Status { get; } = "processed";
}
