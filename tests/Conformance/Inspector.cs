using System.Diagnostics;
using System.Text.Json;
using Serving.EndToEnd;

namespace Serving.Conformance;

/// <summary>
/// Stands between clients and a platform and holds every request and answer that passes against the specification: node/inspect.mjs, which has the Prism proxy behind it.
/// </summary>
internal sealed class Inspector : IAsyncDisposable
{
    private readonly Process _process;
    private readonly HttpClient _client;

    private Inspector(Process process, Uri address)
    {
        _process = process;
        _client = new HttpClient { BaseAddress = address };
        Api = new Uri(address, "/v1");
    }

    /// <summary>The base URL for clients.</summary>
    public Uri Api { get; }

    /// <param name="platform">Where the platform listens.</param>
    public static async Task<Inspector> StartAsync(Uri platform)
    {
        Process process = Node.Start("Conformance", new Uri(platform, "/v1"), "inspect.mjs");
        string address = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException(await process.StandardError.ReadToEndAsync());
        return new Inspector(process, new Uri(address));
    }

    /// <summary>What has passed since it was last asked: how often by operation, and what did not hold.</summary>
    public async Task<(Dictionary<string, int> Seen, string[] Problems)> ReportAsync()
    {
        using JsonDocument report = JsonDocument.Parse(await _client.GetStringAsync("/report"));
        return (
            report.RootElement.GetProperty("seen").EnumerateObject().ToDictionary(seen => seen.Name, seen => seen.Value.GetInt32()),
            [.. report.RootElement.GetProperty("problems").EnumerateArray().Select(problem => problem.GetRawText())]);
    }

    /// <summary>Whatever has passed held, and each of these was among it.</summary>
    public async Task HeldAsync(params string[] operations)
    {
        (Dictionary<string, int> seen, string[] problems) = await ReportAsync();
        Assert.True(problems.Length == 0, string.Join('\n', problems));
        Assert.Equal(operations.Order(), seen.Keys.Order());
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
