namespace Serving.Engine.Formats;

/// <summary>A model file that cannot be used. The message names the file, the place in it where one is known, the field, and what is wrong with it.</summary>
public sealed class ModelFormatException : Exception
{
    private const int QuoteCharsMax = 300;

    /// <param name="path">The file.</param>
    /// <param name="offset">Byte of the file where the field starts, if it has a place.</param>
    /// <param name="field">The header field, metadata key or tensor.</param>
    /// <param name="problem">What is wrong, as the end of a sentence that begins with the field.</param>
    public ModelFormatException(string path, long? offset, string field, string problem)
        : base($"{path}{(offset is { } at ? $", byte {at}" : "")}: {Shorten(field)} {Shorten(problem)}.")
    {
        Path = path;
        Offset = offset;
        Field = field;
    }

    public string Path { get; }

    public long? Offset { get; }

    public string Field { get; }

    // Both may quote the file, and a hostile one holds strings of any length.
    private static string Shorten(string text) => text.Length <= QuoteCharsMax ? text : $"{text.AsSpan(0, QuoteCharsMax)}…";
}
