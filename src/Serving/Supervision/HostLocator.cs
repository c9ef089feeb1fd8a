using System.Runtime.InteropServices;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Cli.Supervision;

/// <summary>Finds the programs of the platform: beside this command where it was published, in the build's <c>artifacts</c> where it was built.</summary>
internal sealed class HostLocator(string baseDirectory)
{
    /// <returns>Program and arguments that start the host.</returns>
    /// <param name="project">The host's project: <c>DecodeWorker</c>.</param>
    /// <exception cref="StartupException">It is in neither place.</exception>
    public (string FileName, IReadOnlyList<string> Arguments) Find(string project)
    {
        var assembly = $"Serving.{project}.dll";
        var places = Places(project).Select(folder => Path.Combine(folder, assembly)).ToArray();
        var path = Array.Find(places, File.Exists)
            ?? throw new StartupException($"{assembly} is missing: looked at {string.Join(" and ", places)}. Build it with 'dotnet build src/Serving -c Release'.");
        return DotnetHost() is { } dotnet ? (dotnet, [path]) : (Path.ChangeExtension(path, OperatingSystem.IsWindows() ? "exe" : null), []);
    }

    private IEnumerable<string> Places(string project)
    {
        yield return baseDirectory;

        // artifacts/bin/Serving/<configuration>/ and, beside it, artifacts/bin/<project>/<configuration>/
        var own = new DirectoryInfo(baseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        if (own.Parent?.Parent is { } bin)
        {
            yield return Path.Combine(bin.FullName, project, own.Name);
        }
    }

    /// <summary>The <c>dotnet</c> that runs this process, so that the hosts run on the same runtime. Null: the host's own launcher must find one.</summary>
    private static string? DotnetHost()
    {
        var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        if (Environment.ProcessPath is { } running && Path.GetFileName(running) == name)
        {
            return running;
        }

        // <root>/shared/Microsoft.NETCore.App/<version>/
        var root = new DirectoryInfo(RuntimeEnvironment.GetRuntimeDirectory()).Parent?.Parent?.Parent;
        var path = root is null ? null : Path.Combine(root.FullName, name);
        return File.Exists(path) ? path : null;
    }
}
