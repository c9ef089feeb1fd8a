using System.Diagnostics;
using System.Text.Json;
using Serving.TestKit;

namespace Serving.EndToEnd;

/// <summary>Scripts that run the official npm client, unmodified, against a platform.</summary>
internal static class Node
{
    /// <summary>What the script printed, one JSON object.</summary>
    public static async Task<JsonElement> RunAsync(Platform platform, string script, params string[] arguments)
    {
        string node = Environment.GetEnvironmentVariable("SERVING_TEST_NODE") is { Length: > 0 } path ? path : "node";
        string folder = Path.Combine(Repository.Root, "tests", "EndToEnd", "node");
        Assert.SkipUnless(Directory.Exists(Path.Combine(folder, "node_modules", "openai")), "npm ci has not been run in tests/EndToEnd/node: ./test.sh does it");
        using Process process = Process.Start(new ProcessStartInfo(node, [script, new Uri(platform.BaseAddress, "/v1").ToString(), .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{output}\n{await errors}");
        return JsonDocument.Parse(output).RootElement;
    }
}
