using System.IO.Enumeration;
using System.Text.RegularExpressions;
using Serving.Cli.Machine;
using Serving.Cli.Models;

namespace Serving.Cli.Hub;

/// <summary>Which files of a repository make a model.</summary>
/// <param name="Name">The name that the model gets unless the user gives one.</param>
/// <param name="Files">Each has its own file name; all lie in one folder in the end.</param>
internal sealed record FileSelection(string Name, IReadOnlyList<HubFile> Files)
{
    private const int ListedMax = 40;

    /// <summary>A file that git keeps itself is text. The hub refuses larger ones outside large-file storage.</summary>
    private const long SmallFileBytesMax = 32 << 20;

    private static readonly string[] TextFiles =
    [
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "vocab.json", "merges.txt", "tokenizer.model", "chat_template.jinja", "chat_template.json", "model.safetensors.index.json",
    ];

    /// <exception cref="ModelException">There is no model that can be served, or there are several.</exception>
    public static FileSelection Of(IReadOnlyList<HubFile> files, ModelReference model)
    {
        var selection = model.File is { } wanted ? OfGguf(files, model, wanted) : OfRepository(files, model);
        foreach (var file in selection.Files)
        {
            Check(file);
        }

        return selection;
    }

    private static FileSelection OfRepository(IReadOnlyList<HubFile> files, ModelReference model)
    {
        HubFile[] root = [.. files.Where(file => !file.Path.Contains('/', StringComparison.Ordinal))];
        HubFile[] weights = [.. root.Where(file => file.Path.EndsWith(".safetensors", StringComparison.Ordinal))];
        if (weights.Length > 0 && root.Any(file => file.Path == "config.json"))
        {
            // Some repositories hold the same weights a second time in their maker's own layout (consolidated.safetensors).
            HubFile[] usual = [.. weights.Where(file => file.Path.StartsWith("model", StringComparison.Ordinal))];
            return new FileSelection(
                model.Repository[(model.Repository.IndexOf('/', StringComparison.Ordinal) + 1)..],
                [.. root.Where(file => TextFiles.Contains(file.Path)), .. usual.Length > 0 ? usual : weights]);
        }

        var variants = Variants(files);
        return variants.Count switch
        {
            1 => Whole(variants[0]),
            0 => throw new ModelException($"{model.Repository} has neither config.json with *.safetensors nor a GGUF file{Pickles(root)}."),
            _ => throw new ModelException($"{model.Repository} has {variants.Count} GGUF models: choose one by its quantisation or file name, such as {model.Repository}:{Hint(variants)}\n{Table(variants)}"),
        };
    }

    private static FileSelection OfGguf(IReadOnlyList<HubFile> files, ModelReference model, string wanted)
    {
        var variants = Variants(files);
        if (variants.Count == 0)
        {
            throw new ModelException($"{model.Repository} has no GGUF file. Without ':{wanted}' its Hugging Face files are fetched, if it has any.");
        }

        var exact = variants.Where(variant => variant.Any(file => Same(file.Path, wanted) || Same(file.Name, wanted))).ToList();
        var matches = exact.Count > 0 ? exact : [.. variants.Where(variant => Matches(variant, wanted))];
        return matches.Count switch
        {
            1 => Whole(matches[0]),
            0 => throw new ModelException($"{model.Repository} has no GGUF file that '{wanted}' names. It has:\n{Table(variants)}"),
            _ => throw new ModelException($"'{wanted}' names {matches.Count} GGUF models of {model.Repository}: give a whole file name.\n{Table(matches)}"),
        };
    }

    /// <summary>GGUF models: the parts of a split one together. A vision projector is no model of its own.</summary>
    private static List<HubFile[]> Variants(IEnumerable<HubFile> files) =>
    [
        .. files.Where(file => file.Path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) && !file.Name.StartsWith("mmproj", StringComparison.OrdinalIgnoreCase))
            .GroupBy(file => (file.Path[..^file.Name.Length], ModelPath.Stem(file.Name), ModelPath.PartCount(file.Name)))
            .OrderBy(group => group.First().Path, StringComparer.Ordinal)
            .Select(group => group.OrderBy(file => file.Path, StringComparer.Ordinal).ToArray()),
    ];

    private static FileSelection Whole(HubFile[] variant)
    {
        var count = ModelPath.PartCount(variant[0].Name);
        return variant.Length == count
            ? new FileSelection(ModelPath.Stem(variant[0].Name), variant)
            : throw new ModelException($"{variant[0].Path} is one of {count} parts, and the repository has {variant.Length} of them.");
    }

    private static bool Matches(HubFile[] variant, string wanted) => wanted.AsSpan().ContainsAny('*', '?')
        ? variant.Any(file => FileSystemName.MatchesSimpleExpression(wanted, file.Path) || FileSystemName.MatchesSimpleExpression(wanted, file.Name))
        // A quantisation is a word of the name: Q4_K is not Q4_K_M.
        : Regex.IsMatch(ModelPath.Stem(variant[0].Name), $@"(^|[-.]){Regex.Escape(wanted)}($|[-.])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    private static string Hint(List<HubFile[]> variants) =>
        (variants.Find(variant => variant[0].Name.Contains("Q4_K_M", StringComparison.OrdinalIgnoreCase)) is not null) ? "Q4_K_M" : variants[0][0].Name;

    private static string Table(List<HubFile[]> variants)
    {
        var lines = variants.Take(ListedMax).Select(variant =>
            $"  {ByteSize.Format(variant.Sum(file => file.Size)),10}  {Plain(variant[0].Path)}{(variant.Length > 1 ? $" and {variant.Length - 1} more parts" : "")}");
        return string.Join('\n', lines) + (variants.Count > ListedMax ? $"\n  and {variants.Count - ListedMax} more" : "");
    }

    private static string Pickles(HubFile[] root) =>
        root.FirstOrDefault(file => Path.GetExtension(file.Path) is ".bin" or ".pth" or ".pt" or ".ckpt" or ".msgpack" or ".h5") is { } found
            ? $" ({Plain(found.Path)} may run code when it is read, or is of another framework: such files are never fetched)"
            : "";

    private static void Check(HubFile file)
    {
        var isPath = !file.Path.Split('/').Any(part => part is "" or "." or "..") && !file.Path.Any(c => char.IsControl(c) || c == '\\');
        if (!isPath || !ModelName.IsValid(file.Name) || Same(file.Name, ModelManifest.FileName))
        {
            throw new ModelException($"The repository has a file called '{Plain(file.Path)}': such a name is not written to this disk. Nothing was fetched.");
        }

        if (file.Sha256 is null && file.Size > SmallFileBytesMax)
        {
            throw new ModelException($"{file.Path} has {ByteSize.Format(file.Size)} outside large-file storage; at most {ByteSize.Format(SmallFileBytesMax)} are taken.");
        }
    }

    private static string Plain(string text) => string.Concat(text.Take(200).Select(c => char.IsControl(c) ? '?' : c));
}
