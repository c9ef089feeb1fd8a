using System.Runtime.InteropServices;

namespace Serving.Cli.Bench.Peer;

/// <summary>Where llama.cpp is.</summary>
internal static class PeerLibrary
{
    private const string Tools = "tests/tools/llama-cpp";

    /// <param name="path">What <c>--peer-lib</c> says: the library or its folder. Null: npm's binaries in the repository that this program lies in.</param>
    /// <param name="baseDirectory">Where this program is.</param>
    /// <exception cref="BenchException">It is not there.</exception>
    public static string Locate(string? path, string baseDirectory)
    {
        if (path is null)
        {
            return LocateInstalled(baseDirectory);
        }

        var full = Path.GetFullPath(path);
        return File.Exists(full) ? full
            : Directory.Exists(full) && LibraryIn(full) is { } file ? file
            : throw new BenchException($"--peer-lib {path}: there is no libllama there. Name the library or the folder it is in; docs/howto/benchmark.md says how it is built.");
    }

    private static string LocateInstalled(string baseDirectory)
    {
        for (var folder = new DirectoryInfo(baseDirectory); folder is not null; folder = folder.Parent)
        {
            var tools = Path.Combine(folder.FullName, Tools);
            if (File.Exists(Path.Combine(tools, "package.json")))
            {
                return LibraryIn(Binaries(tools)) ?? throw new BenchException(
                    $"llama.cpp is not installed. Run: npm install --prefix {tools} --omit=optional --ignore-scripts --no-save --no-audit --no-fund\n"
                    + "npm's packages have it for x64 Linux; elsewhere build it and name it with --peer-lib (docs/howto/benchmark.md).");
            }
        }

        throw new BenchException($"This program does not lie in its repository, whose {Tools} installs llama.cpp: name a build of it with --peer-lib (docs/howto/benchmark.md).");
    }

    private static string Binaries(string tools)
    {
        var platform = $"{(OperatingSystem.IsLinux() ? "linux" : "other")}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        return Path.Combine(tools, "node_modules", "@node-llama-cpp", platform, "bins", platform);
    }

    /// <summary><c>libllama.so</c>, <c>libllama.v0.5.0.so</c>, <c>libllama.dylib</c>; not <c>libllama-common.so</c>.</summary>
    private static string? LibraryIn(string folder) => Directory.Exists(folder)
        ? Directory.GetFiles(folder, "libllama.*").Order(StringComparer.Ordinal).FirstOrDefault(file => file.EndsWith(".so", StringComparison.Ordinal) || file.EndsWith(".dylib", StringComparison.Ordinal))
        : null;
}
