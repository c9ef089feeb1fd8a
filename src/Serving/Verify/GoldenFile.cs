using System.Text.Json;

namespace Serving.Cli.Verify;

/// <summary>A JSON file of recorded reference outputs.</summary>
internal sealed class GoldenFile : IDisposable
{
    private const long BytesMax = 256L << 20;

    private readonly JsonDocument _document;

    private GoldenFile(JsonDocument document, string path)
    {
        _document = document;
        Root = new GoldenField(path, "", document.RootElement);
    }

    public GoldenField Root { get; }

    /// <exception cref="VerifyException">The file cannot be read or is not JSON.</exception>
    public static GoldenFile Open(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            if (stream.CanSeek && stream.Length > BytesMax)
            {
                throw new VerifyException($"{path}: holds {stream.Length} bytes; golden files have at most {BytesMax}.");
            }

            return new GoldenFile(JsonDocument.Parse(stream), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new VerifyException($"{path}: cannot be read: {e.Message}");
        }
        catch (JsonException e)
        {
            throw new VerifyException($"{path}: is not JSON: {e.Message}");
        }
    }

    public void Dispose() => _document.Dispose();
}
