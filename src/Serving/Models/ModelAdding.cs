using System.Security.Cryptography;
using Serving.Cli.State;

namespace Serving.Cli.Models;

/// <summary>Adds a model of this machine to the data folder.</summary>
internal static class ModelAdding
{
    /// <param name="name">Null: as its file or folder is called.</param>
    /// <param name="copy">False: only where it lies is noted.</param>
    /// <exception cref="ModelException">There is no model at the path, or the name is taken.</exception>
    public static async Task<InstalledModel> RunAsync(ModelStore store, string path, string? name, bool copy, TimeProvider time, CancellationToken cancellation)
    {
        var found = ModelPath.Find(path);
        name ??= found.OwnName;
        if (!ModelName.IsValid(name))
        {
            throw new ModelException($"'{name}' cannot be a model's name here: {ModelName.Rule}, and give it with --name.");
        }

        if (Directory.Exists(store.FolderOf(name)))
        {
            throw new ModelException($"A model {name} is in the data folder already: give another name with --name, or remove it with 'serving model remove {name}'.");
        }

        store.Create();
        // Made aside and moved: half a copy is not listed.
        var aside = Path.Combine(store.Root, $".adding-{name}-{Guid.NewGuid():N}");
        DataFolder.CreateOwnerOnly(aside);
        try
        {
            var files = copy ? await CopyAsync(found, aside, cancellation) : [];
            new ModelManifest(Path.GetFullPath(path), time.GetUtcNow()) { Link = copy ? null : found.Path, Files = files }.Write(aside);
            Directory.Move(aside, store.FolderOf(name));
        }
        catch
        {
            Directory.Delete(aside, recursive: true);
            throw;
        }

        return store.Find(name) ?? throw new ModelException($"{store.FolderOf(name)} cannot be read back.");
    }

    private static async Task<IReadOnlyList<ModelManifestFile>> CopyAsync(ModelPath model, string folder, CancellationToken cancellation)
    {
        var files = new List<ModelManifestFile>();
        foreach (var source in model.Files)
        {
            var name = Path.GetFileName(source);
            if (!ModelName.IsValid(name))
            {
                throw new ModelException($"{source} has a name that is not copied: {ModelName.Rule}.");
            }

            await using var input = File.OpenRead(source);
            await using var output = new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.ReadWrite);
            await input.CopyToAsync(output, cancellation);
            output.Position = 0;
            files.Add(new ModelManifestFile(name, output.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(output, cancellation)), GitBlob: null));
        }

        return files;
    }
}
