using System.Diagnostics;

namespace Serving.Repository.Tests;

/// <summary>The files that belong to the repository: what git tracks, or everything outside build outputs where there is no git.</summary>
internal static class RepositoryFiles
{
    private static readonly string[] _outputs = ["artifacts", "bin", "obj", "node_modules", ".git", ".serving", "TestResults"];
    private static readonly Lazy<IReadOnlyList<string>> _all = new(List);

    public static string Root { get; } = FindRoot();

    /// <summary>Paths relative to <see cref="Root"/>, with forward slashes.</summary>
    public static IReadOnlyList<string> All => _all.Value;

    public static IEnumerable<string> Under(string folder, string extension) =>
        All.Where(path => path.StartsWith(folder, StringComparison.Ordinal) && path.EndsWith(extension, StringComparison.Ordinal));

    public static string Absolute(string path) => Path.Combine(Root, path);

    public static string Read(string path) => File.ReadAllText(Absolute(path));

    /// <summary>False for models, images and large fixtures.</summary>
    public static bool IsText(string path)
    {
        using FileStream file = File.OpenRead(Absolute(path));
        Span<byte> start = stackalloc byte[4096];
        int read = file.Read(start);
        return file.Length < 1024 * 1024 && !start[..read].Contains((byte)0);
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Serving.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("No Serving.sln above the test's folder.");
    }

    private static IReadOnlyList<string> List()
    {
        IEnumerable<string> files = GitFiles() ?? Walk(Root);
        return [.. files.Where(path => File.Exists(Absolute(path))).Order(StringComparer.Ordinal)];
    }

    private static string[]? GitFiles()
    {
        try
        {
            using Process git = Process.Start(new ProcessStartInfo("git", "ls-files --cached --others --exclude-standard")
            {
                WorkingDirectory = Root,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            git.ErrorDataReceived += static (_, _) => { };
            git.BeginErrorReadLine();
            string output = git.StandardOutput.ReadToEnd();
            git.WaitForExit();
            return git.ExitCode == 0 ? output.Split('\n', StringSplitOptions.RemoveEmptyEntries) : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static IEnumerable<string> Walk(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder))
        {
            yield return Path.GetRelativePath(Root, file).Replace('\\', '/');
        }

        foreach (string child in Directory.EnumerateDirectories(folder).Where(child => !_outputs.Contains(Path.GetFileName(child))))
        {
            foreach (string file in Walk(child))
            {
                yield return file;
            }
        }
    }
}
