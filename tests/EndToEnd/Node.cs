using System.Diagnostics;
using System.Text.Json;
using Serving.TestKit;

namespace Serving.EndToEnd;

/// <summary>Scripts that run npm clients, unmodified, against a platform.</summary>
internal static class Node
{
    /// <summary>What a script of these tests printed, one JSON object.</summary>
    public static Task<JsonElement> RunAsync(Platform platform, string script, params string[] arguments) =>
        RunAsync("EndToEnd", new Uri(platform.BaseAddress, "/v1"), script, arguments);

    /// <summary>What a script of a test project printed, one JSON object.</summary>
    public static async Task<JsonElement> RunAsync(string project, Uri api, string script, params string[] arguments)
    {
        using Process process = Start(project, api, script, arguments);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{output}\n{await errors}");
        return JsonDocument.Parse(output).RootElement;
    }

    /// <summary>Starts a script of a test project; the test is skipped where its packages are not installed.</summary>
    /// <param name="api">The base URL for clients: <c>http://127.0.0.1:8080/v1</c>.</param>
    public static Process Start(string project, Uri api, string script, params string[] arguments)
    {
        string node = Environment.GetEnvironmentVariable("SERVING_TEST_NODE") is { Length: > 0 } path ? path : "node";
        string folder = Path.Combine(Repository.Root, "tests", project, "node");
        Assert.SkipUnless(Directory.Exists(Path.Combine(folder, "node_modules", "openai")), $"npm ci has not been run in {folder}: ./test.sh does it");
        return Process.Start(new ProcessStartInfo(node, [script, api.ToString(), .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }
}
