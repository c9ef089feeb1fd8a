namespace Serving.Cli.Hub;

/// <summary>A file of one commit.</summary>
/// <param name="Path">In the repository, with '/'.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Sha256">Of a file in large-file storage, lower-case hexadecimal; else null.</param>
/// <param name="GitBlob">Of any other file, the SHA-1 that git gives it: over <c>blob SIZE\0</c> and the content.</param>
internal sealed record HubFile(string Path, long Size, string? Sha256, string? GitBlob)
{
    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    /// <summary>What the content must hash to: also its name while it is being fetched, so that parts of two contents are never joined.</summary>
    public string Identity => Sha256 ?? GitBlob!;
}

/// <summary>The files of a repository at one commit.</summary>
internal sealed record HubSnapshot(string Commit, IReadOnlyList<HubFile> Files);
