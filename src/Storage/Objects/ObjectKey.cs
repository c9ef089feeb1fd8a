using System.Buffers;

namespace Serving.Storage.Objects;

/// <summary>The name of an object: segments with slashes between, as in S3. Names that come from outside never become one unchecked.</summary>
public readonly record struct ObjectKey
{
    private const int SegmentLengthMax = 128;

    private static readonly SearchValues<char> _allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.");

    private readonly string? _path;

    private ObjectKey(string path) => _path = path;

    /// <summary>The segments with slashes between.</summary>
    public string Path => _path ?? "";

    /// <exception cref="ArgumentException">A segment is empty, too long, begins with a dot or has other characters than letters, digits, <c>_</c>, <c>-</c> and <c>.</c>.</exception>
    public static ObjectKey Of(params ReadOnlySpan<string> segments)
    {
        foreach (var segment in segments)
        {
            if (!IsSegment(segment))
            {
                throw new ArgumentException($"'{segment}' cannot be a segment of an object's name.", nameof(segments));
            }
        }

        return new ObjectKey(string.Join('/', segments));
    }

    /// <summary>Whether a text can be a segment.</summary>
    public static bool IsSegment(string text) =>
        text.Length is > 0 and <= SegmentLengthMax && text[0] != '.' && !text.AsSpan().ContainsAnyExcept(_allowed);

    public override string ToString() => Path;
}
