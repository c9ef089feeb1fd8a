using System.Globalization;
using System.Text.RegularExpressions;

namespace Serving.Engine.Formats.Gguf;

/// <summary>
/// A GGUF model cut into files of its own, as llama.cpp's gguf-split writes them: <c>name-00001-of-00003.gguf</c>, the settings in the first, every file with
/// <c>split.no</c> (from 0), <c>split.count</c> and <c>split.tensors.count</c> (of all files together).
/// </summary>
internal static partial class GgufSplit
{
    private const string NumberKey = "split.no";
    private const string CountKey = "split.count";
    private const string TensorCountKey = "split.tensors.count";
    private const int PartsMax = 4096;

    /// <summary>Opens all parts of which one is given; a model that is not split is its only part.</summary>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="ModelFormatException">A part is missing, or the parts contradict each other.</exception>
    public static GgufFile[] Open(string path)
    {
        var open = new List<GgufFile>();
        try
        {
            GgufFile given = GgufFile.Open(path);
            open.Add(given);
            int count = PartCount(given);
            if (count == 1)
            {
                return [given];
            }

            var parts = new GgufFile[count];
            int givenNumber = Number(given, count);
            string prefix = Prefix(given, givenNumber, count);
            for (int i = 0; i < count; i++)
            {
                parts[i] = i == givenNumber ? given : OpenPart(prefix, i, count, given, open);
            }

            CheckTensors(parts);
            return parts;
        }
        catch
        {
            open.ForEach(file => file.Dispose());
            throw;
        }
    }

    /// <summary>The files that may be opened as one model: the first part that is there of each split one, and every other file.</summary>
    public static List<string> Models(string[] paths)
    {
        Array.Sort(paths, StringComparer.Ordinal);
        var models = new List<string>();
        var seen = new HashSet<(string Prefix, string Count)>();
        foreach (string path in paths)
        {
            Match name = PartName().Match(path);
            if (!name.Success || seen.Add((name.Groups["prefix"].Value, name.Groups["count"].Value)))
            {
                models.Add(path);
            }
        }

        return models;
    }

    private static int PartCount(GgufFile file) => file.Metadata.FindInt32(CountKey, 0, PartsMax) is { } count and > 1 ? count : 1;

    private static int Number(GgufFile file, int count) => file.Metadata.GetInt32(NumberKey, 0, count - 1);

    private static GgufFile OpenPart(string prefix, int number, int count, GgufFile given, List<GgufFile> open)
    {
        string path = PathOf(prefix, number, count);
        if (!File.Exists(path))
        {
            throw given.Metadata.Invalid(CountKey, $"is {count}, but {Path.GetFileName(path)}, part {number + 1} of the model, is not beside it; fetch the missing part");
        }

        GgufFile part = GgufFile.Open(path);
        open.Add(part);
        if (part.Metadata.GetInt32(CountKey, 0, PartsMax) is var stated && stated != count)
        {
            throw part.Metadata.Invalid(CountKey, $"is {stated}, but {count} in {Path.GetFileName(given.Path)}: they are parts of different models");
        }

        return Number(part, count) is var own && own == number
            ? part
            : throw part.Metadata.Invalid(NumberKey, $"is {own}, expected {number} of a file of this name: parts have been renamed");
    }

    /// <summary>What the names of all parts begin with.</summary>
    private static string Prefix(GgufFile given, int number, int count)
    {
        Match name = PartName().Match(given.Path);
        string prefix = name.Groups["prefix"].Value;
        return name.Success && PathOf(prefix, number, count) == given.Path
            ? prefix
            : throw given.Metadata.Invalid(
                NumberKey, $"is {number} and {CountKey} is {count}, so the file's name must end in {PathOf("", number, count)} for the other parts to be found; name it so again");
    }

    private static string PathOf(string prefix, int number, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}-{number + 1:D5}-of-{count:D5}.gguf");

    private static void CheckTensors(GgufFile[] parts)
    {
        var owners = new Dictionary<string, GgufFile>(StringComparer.Ordinal);
        foreach (GgufFile part in parts)
        {
            foreach (GgufTensor tensor in part.Tensors)
            {
                if (!owners.TryAdd(tensor.Name, part))
                {
                    throw new ModelFormatException(part.Path, tensor.DirectoryOffset, $"tensor {tensor.Name}", $"is in {Path.GetFileName(owners[tensor.Name].Path)} as well");
                }
            }
        }

        foreach (GgufFile part in parts)
        {
            if (part.Metadata.FindInt32(TensorCountKey, 0, int.MaxValue) is { } total && total != owners.Count)
            {
                throw part.Metadata.Invalid(TensorCountKey, $"is {total}, but the {parts.Length} parts hold {owners.Count} tensors");
            }
        }
    }

    [GeneratedRegex(@"^(?<prefix>.*)-(?<number>[0-9]{5})-of-(?<count>[0-9]{5})\.gguf\z", RegexOptions.Singleline)]
    private static partial Regex PartName();
}
