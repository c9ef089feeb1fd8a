namespace Serving.Engine.Formats;

/// <summary>Recognises files that people mistake for model files, and says what to do with them.</summary>
internal static unsafe class ForeignFile
{
    /// <exception cref="ModelFormatException">The file is a known one of another kind, or empty.</exception>
    public static void Refuse(MappedFile file)
    {
        var start = new ReadOnlySpan<byte>(file.Data, (int)Math.Min(64, file.Length));
        string? problem = start switch
        {
            [] => "is empty",
            // The last pattern is a safetensors file whose directory happens to have such a length.
            ([(byte)'P', (byte)'K', 3, 4, ..] or [0x80, >= 2 and <= 5, ..]) and not [_, _, _, _, 0, 0, 0, 0, (byte)'{', ..] =>
                "is a pickle: PyTorch's old format, which runs code when it is read; convert it to safetensors (save_pretrained(..., safe_serialization=True))",
            _ when start.StartsWith("version https://git-lfs"u8) => "is a Git LFS pointer, not the file itself; fetch it with git lfs pull or serving model pull",
            _ when start.StartsWith("<!DOCTYPE"u8) || start.StartsWith("<html"u8) => "is a web page, not a model; the download went wrong",
            _ => null,
        };
        if (problem is not null)
        {
            throw new ModelFormatException(file.Path, 0, "the file", problem);
        }
    }
}
