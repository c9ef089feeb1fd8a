using Serving.Cli.State;

namespace Serving.Cli.Models;

/// <summary>The models that can be named: those of the data folder, then those that come with the repository.</summary>
/// <param name="dataFolder">The data folder; it need not exist.</param>
/// <param name="baseDirectory">Where this program is; the repository's <c>models</c> folder is looked for from there upwards.</param>
internal sealed class ModelStore(string dataFolder, string baseDirectory)
{
    public const string RepositoryOrigin = "this repository";

    /// <summary>Where the data folder keeps models, one folder each.</summary>
    public string Root { get; } = Path.Combine(Path.GetFullPath(dataFolder), "models");

    private string Data => Path.GetFullPath(dataFolder);

    public string FolderOf(string name) => Path.Combine(Root, name);

    /// <summary>Makes the folder that models lie in, readable by its owner only.</summary>
    public void Create()
    {
        DataFolder.CreateOwnerOnly(Data);
        DataFolder.CreateOwnerOnly(Root);
    }

    public IReadOnlyList<InstalledModel> List()
    {
        var own = Owned();
        var names = own.Select(model => model.Name).ToHashSet(StringComparer.Ordinal);
        return [.. own, .. OfRepository().Where(model => !names.Contains(model.Name))];
    }

    public InstalledModel? Find(string name) => List().FirstOrDefault(model => model.Name == name);

    /// <summary>Those that come with the repository; none where this program runs without it.</summary>
    public IReadOnlyList<InstalledModel> OfRepository()
    {
        for (var folder = new DirectoryInfo(baseDirectory); folder is not null; folder = folder.Parent)
        {
            var models = Path.Combine(folder.FullName, "models");
            if (Directory.Exists(Path.Combine(models, Up.ModelFile.DefaultName)))
            {
                return [.. Directory.GetDirectories(models).Order(StringComparer.Ordinal).Select(OfRepository).OfType<InstalledModel>()];
            }
        }

        return [];
    }

    /// <summary>Deletes what this program put there, and nothing else.</summary>
    /// <returns>Names of files that others put into the model's folder; they and the folder stay.</returns>
    /// <exception cref="ModelException">There is no such model here, or a running platform serves it.</exception>
    public IReadOnlyList<string> Remove(string name)
    {
        var manifest = Removable(name);
        var folder = FolderOf(name);
        // The manifest goes first: half of a model is not listed as one.
        File.Delete(Path.Combine(folder, ModelManifest.FileName));
        foreach (var file in manifest.Files.Select(file => file.Name).Where(ModelName.IsValid))
        {
            File.Delete(Path.Combine(folder, file));
        }

        string[] left = [.. Directory.GetFileSystemEntries(folder).Select(entry => Path.GetFileName(entry)!)];
        if (left.Length == 0)
        {
            Directory.Delete(folder);
        }

        return left;
    }

    /// <exception cref="ModelException">It is not this data folder's, or in use.</exception>
    public ModelManifest Removable(string name)
    {
        if (ModelName.IsValid(name) && ModelManifest.TryRead(FolderOf(name)) is { } manifest)
        {
            RefuseServed(name);
            return manifest;
        }

        throw new ModelException(OfRepository().Any(model => model.Name == name)
            ? $"{name} comes with the repository and is not in the data folder {Data}: nothing to remove."
            : $"There is no model {name} in the data folder {Data}. 'serving model list' shows what there is.");
    }

    /// <exception cref="ModelException">A platform on this data folder serves the model.</exception>
    public void RefuseServed(string name)
    {
        if (DataFolder.Running(Data) is { } running && (running.Models ?? []).Any(path => IsInside(path, FolderOf(name)) || ModelManifest.TryRead(FolderOf(name))?.Link is { } link && IsInside(path, link)))
        {
            throw new ModelException($"A running platform (pid {running.Pid}, {running.Url}) serves {name}: stop it first.");
        }
    }

    private static bool IsInside(string path, string folder) => path == folder || path.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private List<InstalledModel> Owned() => Directory.Exists(Root)
        ? [.. Directory.GetDirectories(Root).Order(StringComparer.Ordinal).Select(Owned).OfType<InstalledModel>()]
        : [];

    private static InstalledModel? Owned(string folder)
    {
        var name = Path.GetFileName(folder);
        if (!ModelName.IsValid(name) || ModelManifest.TryRead(folder) is not { } manifest)
        {
            return null;
        }

        var origin = manifest.Hub is null ? manifest.Source : $"{manifest.Source}@{manifest.Commit?[..Math.Min(8, manifest.Commit.Length)]}";
        var place = manifest.Link ?? folder;
        try
        {
            var found = ModelPath.Find(place);
            return new InstalledModel(name, found.Format, found.Size, origin, found.Path);
        }
        catch (Exception e) when (e is ModelException or IOException or UnauthorizedAccessException)
        {
            return new InstalledModel(name, "missing", 0, origin, place);
        }
    }

    private static InstalledModel? OfRepository(string folder)
    {
        try
        {
            var found = ModelPath.Find(folder);
            return new InstalledModel(Path.GetFileName(folder), found.Format, found.Size, RepositoryOrigin, found.Path);
        }
        catch (Exception e) when (e is ModelException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
