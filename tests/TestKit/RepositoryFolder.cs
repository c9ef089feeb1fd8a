namespace Serving.TestKit;

/// <summary>Finds files of the repository from wherever a test runs.</summary>
public static class RepositoryFolder
{
    /// <summary>The folder that holds Serving.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The default model.</summary>
    public static string SmolLm2 => Path.Combine(Root, "models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Serving.sln")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Serving.sln.");
    }
}
