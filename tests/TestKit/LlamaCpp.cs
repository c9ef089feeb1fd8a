using System.Diagnostics;
using System.Text.Json;

namespace Serving.TestKit;

/// <summary>
/// llama.cpp (npm's node-llama-cpp, the prebuilt CPU library) as a peer: fp32 KV, no flash attention, one thread. It runs in a process of its own, tests/tools/llama-cpp.
/// </summary>
public static class LlamaCpp
{
    private static readonly string _folder = Path.Combine(Repository.Root, "tests", "tools", "llama-cpp");

    /// <summary>Why it cannot run here, or null.</summary>
    public static string? WhyMissing => Directory.Exists(Path.Combine(_folder, "node_modules", "node-llama-cpp"))
        ? null
        : "npm install has not been run in tests/tools/llama-cpp: ./test.sh does it where llama.cpp is there for the machine";

    /// <summary>What llama.cpp chooses after each prompt, and the ids it makes of texts (with special tokens found in them, and nothing added).</summary>
    /// <exception cref="InvalidOperationException">llama.cpp does not load the file, or cannot go on; with what it said.</exception>
    public static async Task<LlamaCppAnswer> RunAsync(
        string modelPath, IReadOnlyList<LlamaCppCase> cases, IReadOnlyList<string> texts, CancellationToken cancellation)
    {
        string node = Environment.GetEnvironmentVariable("SERVING_TEST_NODE") is { Length: > 0 } path ? path : "node";
        using Process process = Process.Start(new ProcessStartInfo(node, ["greedy.mjs"])
        {
            WorkingDirectory = _folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await using CancellationTokenRegistration kill = cancellation.Register(() => process.Kill(entireProcessTree: true));
        Task<string> log = process.StandardError.ReadToEndAsync(CancellationToken.None);
        await process.StandardInput.WriteAsync(JsonSerializer.Serialize(new { model = modelPath, cases, tokenize = texts }, JsonSerializerOptions.Web));
        process.StandardInput.Close();
        string output = await process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        cancellation.ThrowIfCancellationRequested();
        return process.ExitCode == 0
            ? JsonSerializer.Deserialize<LlamaCppAnswer>(output, JsonSerializerOptions.Web)!
            : throw new InvalidOperationException($"llama.cpp refuses {modelPath}: {output}\n{await log}");
    }
}

/// <param name="Ids">The prompt.</param>
/// <param name="Count">How many tokens it is to go on.</param>
public sealed record LlamaCppCase(IReadOnlyList<int> Ids, int Count);

/// <param name="Greedy">By case.</param>
/// <param name="Tokens">By text.</param>
/// <param name="Seconds">From loading the library to the last token.</param>
public sealed record LlamaCppAnswer(int[][] Greedy, int[][] Tokens, double Seconds);
