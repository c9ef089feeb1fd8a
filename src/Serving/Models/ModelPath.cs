using System.Text.RegularExpressions;

namespace Serving.Cli.Models;

/// <summary>What a path holds that a worker can open: a GGUF file, the parts of a split one, a Hugging Face folder, or the ONNX graph of a sentence embedder.</summary>
/// <param name="Path">What the worker opens, absolute: the file, the first part or the folder.</param>
/// <param name="Format"><c>gguf</c>, <c>hugging-face</c> or <c>onnx</c>.</param>
/// <param name="Files">Every file of it, absolute.</param>
internal sealed partial record ModelPath(string Path, string Format, IReadOnlyList<string> Files)
{
    public const string Gguf = "gguf";
    public const string HuggingFace = "hugging-face";
    public const string Onnx = "onnx";

    private const string Config = "config.json";
    private const string Tokenizer = "tokenizer.json";

    public long Size => Files.Sum(file => new FileInfo(file).Length);

    /// <summary>The name of the folder, or of the GGUF file without <c>.gguf</c> and part number. Graphs are all called <c>model.onnx</c>, so they go by the folder of their tokenizer.</summary>
    public string OwnName => Format switch
    {
        HuggingFace => System.IO.Path.GetFileName(Path),
        Onnx => System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(Files[^1])!),
        _ => Stem(System.IO.Path.GetFileName(Path)),
    };

    /// <exception cref="ModelException">There is nothing that could be served.</exception>
    public static ModelPath Find(string path)
    {
        var full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (File.Exists(full))
        {
            return full.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? OfFile(full)
                : full.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) ? OfGraph(full)
                : throw new ModelException($"{path} is neither a .gguf nor an .onnx file. Name a GGUF file, the graph of a sentence embedder, or the folder of a Hugging Face model (config.json and *.safetensors).");
        }

        if (!Directory.Exists(full))
        {
            throw new ModelException($"{path}: there is no such file or folder.");
        }

        if (File.Exists(System.IO.Path.Combine(full, Config)))
        {
            if (FindGraph(full) is { } graph)
            {
                return OfGraph(graph);
            }

            return new ModelPath(full, HuggingFace, [.. Directory.GetFiles(full).Where(IsOfModel).Order(StringComparer.Ordinal)]);
        }

        var groups = Directory.GetFiles(full, "*.gguf").Order(StringComparer.Ordinal).GroupBy(file => Stem(System.IO.Path.GetFileName(file))).ToArray();
        return groups.Length switch
        {
            1 => OfFile(groups[0].First()),
            0 => throw new ModelException($"{path} holds no model: neither config.json nor a .gguf file."),
            _ => throw new ModelException($"{path} holds {groups.Length} GGUF models: name one of the files ({string.Join(", ", groups.Take(10).Select(group => System.IO.Path.GetFileName(group.First())))})."),
        };
    }

    /// <summary>A GGUF file's name without <c>.gguf</c> and, of a split one, without <c>-00001-of-00003</c>.</summary>
    public static string Stem(string fileName)
    {
        var part = Part().Match(fileName);
        return part.Success ? part.Groups["stem"].Value
            : fileName.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? fileName[..^5]
            : fileName;
    }

    /// <summary>How many parts a file says that its model has; 1 where it is not split.</summary>
    public static int PartCount(string fileName)
    {
        var part = Part().Match(fileName);
        return part.Success ? int.Parse(part.Groups["count"].Value, System.Globalization.CultureInfo.InvariantCulture) : 1;
    }

    /// <summary>The graph of a folder that has no other weights; null where it has others, or no graph.</summary>
    private static string? FindGraph(string folder)
    {
        if (Directory.EnumerateFiles(folder, "*.safetensors").Any())
        {
            return null;
        }

        var onnx = System.IO.Path.Combine(folder, "onnx");
        string[] graphs = [.. Directory.GetFiles(folder, "*.onnx"), .. Directory.Exists(onnx) ? Directory.GetFiles(onnx, "*.onnx") : []];
        return graphs.Length > 1
            ? throw new ModelException($"{folder} holds {graphs.Length} graphs: name one of the files ({string.Join(", ", graphs.Take(10).Select(graph => System.IO.Path.GetRelativePath(folder, graph)))}).")
            : graphs.FirstOrDefault();
    }

    private static ModelPath OfGraph(string graph)
    {
        var beside = System.IO.Path.GetDirectoryName(graph)!;
        var folder = new[] { beside, System.IO.Path.GetDirectoryName(beside) ?? beside }
            .FirstOrDefault(candidate => File.Exists(System.IO.Path.Combine(candidate, Tokenizer)) && File.Exists(System.IO.Path.Combine(candidate, Config)));
        return folder is null
            ? throw new ModelException($"{graph}: neither beside it nor in the folder above are {Tokenizer} and {Config}, without which it cannot read text.")
            : new ModelPath(graph, Onnx, [graph, System.IO.Path.Combine(folder, Config), System.IO.Path.Combine(folder, Tokenizer)]);
    }

    private static ModelPath OfFile(string file)
    {
        var name = System.IO.Path.GetFileName(file);
        var count = PartCount(name);
        if (count == 1)
        {
            return new ModelPath(file, Gguf, [file]);
        }

        var folder = System.IO.Path.GetDirectoryName(file)!;
        string[] parts = [.. Enumerable.Range(1, count).Select(i => System.IO.Path.Combine(folder, $"{Stem(name)}-{i:00000}-of-{count:00000}.gguf"))];
        return Array.Find(parts, part => !File.Exists(part)) is { } missing
            ? throw new ModelException($"{file} is one of {count} parts, and {System.IO.Path.GetFileName(missing)} is missing beside it.")
            : new ModelPath(parts[0], Gguf, parts);
    }

    /// <summary>Never a pickle: what may run code when it is read is neither counted nor copied.</summary>
    private static bool IsOfModel(string file) => System.IO.Path.GetExtension(file) is ".json" or ".safetensors" or ".jinja" or ".model" or ".txt";

    [GeneratedRegex(@"^(?<stem>.+)-\d{5}-of-(?<count>\d{5})\.gguf$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Part();
}
