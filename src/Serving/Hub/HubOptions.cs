using Serving.Cli.Models;

namespace Serving.Cli.Hub;

/// <summary>Which hub, with whose rights, and how patient.</summary>
internal sealed record HubOptions(Uri Endpoint, string? Token)
{
    public const string DefaultEndpoint = "https://huggingface.co";

    /// <summary>Wait after the first failure; it doubles. Default: 0.5 s.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>Longest wait between two tries; a hub that asks for more is not waited for. Default: 60 s.</summary>
    public TimeSpan DelayMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Tries in a row that bring nothing before it is given up. Default: 6.</summary>
    public int FruitlessTriesMax { get; init; } = 6;

    /// <summary>How long nothing may arrive before a connection counts as cut. Default: 60 s.</summary>
    public TimeSpan StallTimeMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Files that are fetched at once. Default: 4.</summary>
    public int ParallelFilesMax { get; init; } = 4;

    /// <summary>Free bytes of the disk that a path lies on.</summary>
    public Func<string, long> FreeSpace { get; init; } = path => new DriveInfo(path).AvailableFreeSpace;

    /// <summary>Reads HF_ENDPOINT and HF_TOKEN.</summary>
    /// <exception cref="ModelException">One of them cannot be used. The token is never part of the message.</exception>
    public static HubOptions FromEnvironment(Func<string, string?> variable)
    {
        var endpoint = variable("HF_ENDPOINT") is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : DefaultEndpoint;
        if (!Uri.TryCreate(endpoint.TrimEnd('/') + "/", UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            throw new ModelException($"HF_ENDPOINT is '{endpoint}', which is no address: write one such as {DefaultEndpoint}.");
        }

        var token = variable("HF_TOKEN")?.Trim();
        return token?.Any(c => c is <= ' ' or > '~') == true
            ? throw new ModelException("HF_TOKEN holds characters that no token has (a space, a line break or a letter outside ASCII): copy it again from the hub's settings.")
            : new HubOptions(uri, string.IsNullOrEmpty(token) ? null : token);
    }
}
