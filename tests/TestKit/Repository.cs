namespace Serving.TestKit;

/// <summary>The checkout that the tests run in.</summary>
public static class Repository
{
    /// <summary>The folder that holds Serving.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The model that ships with the project.</summary>
    public static string DefaultModel => Path.Combine(Root, "models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");

    /// <summary>Where a project's build of the same configuration as the running test lies.</summary>
    public static string Output(string project)
    {
        // artifacts/bin/<test project>/<configuration>/
        string configuration = Path.GetFileName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.Combine(Root, "artifacts", "bin", project, configuration);
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Serving.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"no folder above {AppContext.BaseDirectory} holds Serving.sln");
    }
}
