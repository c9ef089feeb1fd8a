using Serving.Cli.Machine;
using Serving.Cli.Models;
using Serving.Cli.State;

namespace Serving.Cli.Hub;

/// <summary>What a pull came to.</summary>
/// <param name="IsNew">False: it was complete already and nothing was fetched.</param>
internal sealed record PullResult(string Name, string Path, long Size, string Commit, bool IsNew);

/// <summary>
/// Fetches a model into the data folder. Files are gathered in <c>models/.pulling/NAME</c>; only when all are there and right does the folder move to
/// <c>models/NAME</c>, so that half of a model is never listed.
/// </summary>
internal sealed class ModelPull(HubClient client, ModelStore store, TimeProvider time, IPullProgress progress)
{
    /// <summary>Left free for everything else on the disk.</summary>
    private const long SpareBytes = 64 << 20;

    /// <param name="name">What to call it; null: as its file or repository is called.</param>
    /// <exception cref="ModelException">It cannot be fetched; what arrived stays for the next pull.</exception>
    public async Task<PullResult> RunAsync(ModelReference model, string? name, CancellationToken cancellation)
    {
        var snapshot = await client.SnapshotAsync(model, cancellation);
        var selection = FileSelection.Of(snapshot.Files, model);
        name ??= selection.Name;
        RefuseName(name);
        var folder = store.FolderOf(name);
        store.Create();
        var staging = Path.Combine(store.Root, ".pulling", name);
        DataFolder.CreateOwnerOnly(staging);
        using var held = Take(staging, name);
        if (IsComplete(name, model, snapshot, selection))
        {
            return new PullResult(name, folder, selection.Files.Sum(file => file.Size), snapshot.Commit, IsNew: false);
        }

        CheckDisk(selection, staging);
        progress.Begin(selection.Files);
        await FetchAsync(model, snapshot.Commit, selection, staging, cancellation);
        Install(name, model, snapshot, selection, staging);
        return new PullResult(name, folder, selection.Files.Sum(file => file.Size), snapshot.Commit, IsNew: true);
    }

    private static void RefuseName(string name)
    {
        if (!ModelName.IsValid(name))
        {
            throw new ModelException($"'{name}' cannot be a model's name here: {ModelName.Rule}, and give it with --name.");
        }
    }

    /// <summary>The system gives the lock back however the process ends.</summary>
    private static FileStream Take(string staging, string name)
    {
        try
        {
            return new FileStream(staging + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new ModelException($"Another pull of {name} into this data folder is under way: wait for it, or stop it.", e);
        }
    }

    private bool IsComplete(string name, ModelReference model, HubSnapshot snapshot, FileSelection selection)
    {
        if (ModelManifest.TryRead(store.FolderOf(name)) is not { } manifest)
        {
            return Directory.Exists(store.FolderOf(name))
                ? throw new ModelException($"{store.FolderOf(name)} is there and is no model of this data folder: move it away, or give another name with --name.")
                : false;
        }

        if (manifest.Hub is null || manifest.Source != model.Repository)
        {
            throw new ModelException($"A model {name} is here already, from {manifest.Source}: give another name with --name, or remove it with 'serving model remove {name}'.");
        }

        var have = manifest.Files.Select(file => (file.Name, file.Sha256 ?? file.GitBlob)).ToHashSet();
        var isSame = have.SetEquals(selection.Files.Select(file => (file.Name, (string?)file.Identity)))
            && selection.Files.All(file => new FileInfo(Path.Combine(store.FolderOf(name), file.Name)) is { Exists: true } info && info.Length == file.Size);
        if (!isSame)
        {
            store.RefuseServed(name);
        }

        return isSame;
    }

    private void CheckDisk(FileSelection selection, string staging)
    {
        var needed = selection.Files.DistinctBy(file => file.Identity).Sum(file => file.Size - FileDownload.Present(staging, file));
        var free = client.Options.FreeSpace(staging);
        if (needed > 0 && needed + SpareBytes > free)
        {
            throw new ModelException($"{ByteSize.Format(needed)} are to be fetched (of {ByteSize.Format(selection.Files.Sum(file => file.Size))}), and the disk of {store.Root} has {ByteSize.Format(free)} free: make room, or choose another folder with --data.");
        }
    }

    private async Task FetchAsync(ModelReference model, string commit, FileSelection selection, string staging, CancellationToken cancellation)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = client.Options.ParallelFilesMax, CancellationToken = cancellation };
        // Small ones first: a missing right or a broken configuration shows before gigabytes are fetched.
        var files = selection.Files.DistinctBy(file => file.Identity).OrderBy(file => file.Size);
        await Parallel.ForEachAsync(files, parallel, async (file, token) =>
        {
            await new FileDownload(client, model, commit, file, staging, progress).RunAsync(token);
            progress.Done(file);
        });
    }

    private void Install(string name, ModelReference model, HubSnapshot snapshot, FileSelection selection, string staging)
    {
        var ready = staging + ".ready";
        if (Directory.Exists(ready))
        {
            Directory.Delete(ready, recursive: true);
        }

        DataFolder.CreateOwnerOnly(ready);
        foreach (var same in selection.Files.GroupBy(file => file.Identity).Select(group => group.ToArray()))
        {
            foreach (var file in same[1..])
            {
                File.Copy(FileDownload.WholeOf(staging, file), Path.Combine(ready, file.Name));
            }

            File.Move(FileDownload.WholeOf(staging, same[0]), Path.Combine(ready, same[0].Name));
        }

        new ModelManifest(model.Repository, time.GetUtcNow())
        {
            Hub = client.Options.Endpoint.GetLeftPart(UriPartial.Authority),
            Revision = model.Revision,
            Commit = snapshot.Commit,
            Files = [.. selection.Files.Select(file => new ModelManifestFile(file.Name, file.Size, file.Sha256, file.GitBlob))],
        }.Write(ready);
        var folder = store.FolderOf(name);
        if (Directory.Exists(folder) && store.Remove(name) is [var other, ..])
        {
            throw new ModelException($"{folder} holds files of others, such as {other}: move them away, and pull again.");
        }

        Directory.Move(ready, folder);
        Directory.Delete(staging, recursive: true);
    }
}
