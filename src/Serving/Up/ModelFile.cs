using Serving.ServiceDefaults.Hosting;

namespace Serving.Cli.Up;

/// <summary>A model to serve.</summary>
/// <param name="Name">What clients call it.</param>
/// <param name="Path">Its GGUF file, absolute.</param>
internal sealed record ModelFile(string Name, string Path)
{
    public const string DefaultName = "smollm2-135m-instruct";

    /// <summary>Reads the value of <c>--model</c>: a file, a folder with one <c>.gguf</c> file, or either after <c>NAME=</c>.</summary>
    /// <param name="argument">Null: the model that comes with the repository.</param>
    /// <param name="baseDirectory">Where this program is; the repository's <c>models</c> folder is looked for from there upwards.</param>
    /// <exception cref="StartupException">There is no such model.</exception>
    public static ModelFile Resolve(string? argument, string baseDirectory)
    {
        if (argument is null)
        {
            return new ModelFile(DefaultName, SingleFile(FindDefaultFolder(baseDirectory)));
        }

        var separator = argument.IndexOf('=', StringComparison.Ordinal);
        // "NAME=PATH", unless the whole is a path that has an equals sign in it.
        var isNamed = separator > 0 && !System.IO.Path.Exists(argument);
        var path = System.IO.Path.GetFullPath(isNamed ? argument[(separator + 1)..] : argument);
        var isFolder = Directory.Exists(path);
        var file = isFolder ? SingleFile(path) : path;
        if (!File.Exists(file))
        {
            throw new StartupException($"--model {argument}: there is no file {file}.");
        }

        var ownName = isFolder ? System.IO.Path.GetFileName(path.TrimEnd('/')) : System.IO.Path.GetFileNameWithoutExtension(file);
        return new ModelFile(isNamed ? argument[..separator] : ownName, file);
    }

    private static string FindDefaultFolder(string baseDirectory)
    {
        for (var folder = new DirectoryInfo(baseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = System.IO.Path.Combine(folder.FullName, "models", DefaultName);
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        throw new StartupException($"The default model is missing: no folder models/{DefaultName} at or above {baseDirectory}. Name a GGUF file with --model.");
    }

    private static string SingleFile(string folder)
    {
        var files = Directory.GetFiles(folder, "*.gguf");
        return files.Length == 1
            ? files[0]
            : throw new StartupException($"{folder} has {files.Length} .gguf files instead of one: name the file with --model.");
    }
}
