using System.Diagnostics;
using System.Net.Http.Json;
using Serving.Control.Admin;
using Serving.ServiceDefaults.Security;

namespace Serving.Control.Tests;

public sealed class ControlHostTests
{
    [Fact]
    public async Task Leads_tells_the_cluster_and_stops_with_its_parent()
    {
        await using var redis = await TestRedis.StartAsync(TestRedis.Garnet);
        var folder = Directory.CreateTempSubdirectory("serving-control-");
        var secretFile = Path.Combine(folder.FullName, "secret");
        ClusterSecret.CreateFile(secretFile);
        var port = TestRedis.FreePort();
        using var host = Start(redis, secretFile, port);
        try
        {
            using var client = InternalHttp.CreateClient(ClusterSecret.Read(secretFile), new Uri($"http://127.0.0.1:{port}"));
            var status = await WaitUntilLeadingAsync(client);
            Assert.Equal(1, status.Term);
            Assert.StartsWith("control-", status.ControlId);
            Assert.Empty(status.Workers);

            host.StandardInput.Close();
            await host.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, host.ExitCode);
        }
        finally
        {
            host.Kill();
            folder.Delete(recursive: true);
        }
    }

    private static Process Start(TestRedis redis, string secretFile, int port)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ClusterApi).Assembly.Location]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["Cluster__Redis"] = redis.EndPoint;
        start.Environment["Cluster__SecretFile"] = secretFile;
        start.Environment["Cluster__Port"] = $"{port}";
        start.Environment["Cluster__StopWithParent"] = "true";
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        return process;
    }

    private static async Task<ClusterStatus> WaitUntilLeadingAsync(HttpClient client)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var status = await client.GetFromJsonAsync(ClusterApi.Route, ControlJson.Default.ClusterStatus, TestContext.Current.CancellationToken);
                if (status is { IsLeader: true })
                {
                    return status;
                }
            }
            catch (HttpRequestException) when (attempt < 200)
            {
                // It does not listen yet.
            }

            Assert.True(attempt < 200, "the control process did not become leader within 20 s");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }
}
