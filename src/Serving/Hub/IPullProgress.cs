namespace Serving.Cli.Hub;

/// <summary>Is told how a pull goes. Called from several threads.</summary>
internal interface IPullProgress
{
    /// <summary>Before anything is fetched.</summary>
    void Begin(IReadOnlyList<HubFile> files);

    /// <summary>So many more bytes of the file are here.</summary>
    void Advance(HubFile file, long bytes);

    /// <summary>The file is whole and its hash is right.</summary>
    void Done(HubFile file);
}
