using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Serving.Served.Bench;

/// <summary><c>./serving up</c> with an empty data folder, stopped and removed at the end.</summary>
internal sealed class FreshPlatform : IAsyncDisposable
{
    private readonly Process _process;
    private readonly DirectoryInfo _data;

    private FreshPlatform(Process process, DirectoryInfo data, int port)
    {
        _process = process;
        _data = data;
        Client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromMinutes(5) };
    }

    public HttpClient Client { get; }

    public string DataFolder => _data.FullName;

    public double ReadySeconds { get; private set; }

    /// <param name="options">More options of <c>serving up</c>.</param>
    public static async Task<FreshPlatform> StartAsync(params string[] options)
    {
        DirectoryInfo data = Directory.CreateTempSubdirectory("serving-bench-");
        int port = FreePort();
        long begin = Stopwatch.GetTimestamp();
        Process process = Process.Start(new ProcessStartInfo(
            Path.Combine(RepositoryRoot(), "serving"), ["up", "--port", $"{port}", "--data", data.FullName, .. options])
        {
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        })!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        FreshPlatform platform = new(process, data, port);
        while (!await platform.IsReadyAsync())
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException($"`serving up` ended with {process.ExitCode} before it was ready");
            }

            await Task.Delay(20);
        }

        platform.ReadySeconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        return platform;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Process.Start("kill", ["-TERM", $"{_process.Id}"]).WaitForExit();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _data.Delete(recursive: true);
    }

    public static string RepositoryRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Serving.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("no folder above holds Serving.sln");
    }

    private async Task<bool> IsReadyAsync()
    {
        try
        {
            using HttpResponseMessage response = await Client.GetAsync("/ready");
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
