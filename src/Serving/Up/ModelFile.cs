using Serving.Cli.Models;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Cli.Up;

/// <summary>A model to serve.</summary>
/// <param name="Name">What clients call it.</param>
/// <param name="Path">Its GGUF file (of a split one the first part), its Hugging Face folder, or the ONNX graph of a sentence embedder, absolute.</param>
internal sealed record ModelFile(string Name, string Path)
{
    public const string DefaultName = "smollm2-135m-instruct";

    /// <summary>What is served beside it, so that <c>/v1/embeddings</c> works at once: it takes less than a second and 75 MiB.</summary>
    public const string DefaultEmbedderName = "all-minilm-l6-v2";

    /// <summary>The form in which it writes tool calls; null: what its chat template says.</summary>
    public string? ToolParser { get; init; }

    /// <summary>Whether it embeds texts and does nothing else.</summary>
    public bool IsEmbedder => Path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the values of <c>--model</c>: names of the store, files, folders, either after <c>NAME=</c>, and <c>all</c> for those of the repository.</summary>
    /// <param name="arguments">None: the chat model and the embedder that come with the repository.</param>
    /// <exception cref="StartupException">There is no such model, or two would have the same name.</exception>
    public static IReadOnlyList<ModelFile> ResolveAll(IReadOnlyList<string> arguments, ModelStore store)
    {
        var models = arguments.Count == 0 ? Default(store) : arguments.SelectMany(argument => Resolve(argument, store)).ToArray();
        // The hosts' configuration and people's eyes would take names that differ in capitals only for one another.
        foreach (var group in models.GroupBy(model => model.Name, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1))
        {
            throw new StartupException($"Two models would be called {group.Key} ({string.Join(" and ", group.Select(model => model.Path))}): name one of them with --model NAME=PATH.");
        }

        return models;
    }

    private static IEnumerable<ModelFile> Resolve(string argument, ModelStore store)
    {
        if (argument == ModelName.UpKeyword)
        {
            var all = store.OfRepository();
            return all.Count > 0
                ? all.OrderBy(model => model.Name != DefaultName).ThenBy(model => model.Format == ModelPath.Onnx).Select(model => new ModelFile(model.Name, model.Path))
                : throw new StartupException("--model all means the models that come with the repository, and there are none beside this program: name files with --model.");
        }

        var separator = argument.IndexOf('=', StringComparison.Ordinal);
        // "NAME=PATH", unless the whole is a path that has an equals sign in it.
        var isNamed = separator > 0 && !System.IO.Path.Exists(argument);
        var (name, path) = Locate(isNamed ? argument[(separator + 1)..] : argument, argument, store);
        return [new ModelFile(isNamed ? argument[..separator] : name, path)];
    }

    /// <summary>A name of the store comes before a file or folder of that name; <c>./NAME</c> means the latter.</summary>
    private static (string Name, string Path) Locate(string what, string argument, ModelStore store)
    {
        if (store.Find(what) is { } installed)
        {
            return installed.Format == "missing"
                ? throw new StartupException($"--model {argument}: {installed.Path}, which was added as {what}, is gone. 'serving model remove {what}' forgets it.")
                : (what, installed.Path);
        }

        try
        {
            var found = ModelPath.Find(what);
            return (Directory.Exists(what) ? System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(what))) : found.OwnName, found.Path);
        }
        catch (ModelException e)
        {
            var names = System.IO.Path.Exists(what) ? "" : $" Models that have a name: {string.Join(", ", store.List().Select(model => model.Name))}.";
            throw new StartupException($"--model {argument}: {e.Message}{names}", e);
        }
    }

    private static ModelFile[] Default(ModelStore store)
    {
        ModelFile[] models =
        [
            .. store.OfRepository().Where(model => model.Name is DefaultName or DefaultEmbedderName)
                .Select(model => new ModelFile(model.Name, model.Path)).OrderBy(model => model.IsEmbedder),
        ];
        return models is [{ IsEmbedder: false }, ..]
            ? models
            : throw new StartupException($"The default model models/{DefaultName} is not beside this program: name a model with --model, or fetch one with 'serving model pull'.");
    }
}
