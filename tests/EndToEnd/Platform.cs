using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Serving.TestKit;

namespace Serving.EndToEnd;

/// <summary>A platform as a user starts it: the built <c>serving up</c> in a process of its own, with a data folder, a home and a temporary folder of its own.</summary>
public sealed class Platform : IAsyncDisposable
{
    private static readonly TimeSpan ReadyTimeMax = TimeSpan.FromSeconds(120);
    private readonly StringBuilder _output = new();
    private readonly DirectoryInfo _root;
    private readonly IReadOnlyList<string> _arguments;
    private Process _process;

    private Platform(DirectoryInfo root, IReadOnlyList<string> arguments, string host, int port)
    {
        _root = root;
        _arguments = arguments;
        BaseAddress = new Uri($"http://{host}:{port}");
        Client = new HttpClient { BaseAddress = BaseAddress, Timeout = TimeSpan.FromMinutes(3) };
        _process = Run();
    }

    public Uri BaseAddress { get; }

    public HttpClient Client { get; }

    public int Pid => _process.Id;

    /// <summary>Holds <c>data</c>, <c>home</c> and <c>tmp</c>, and nothing else of this test.</summary>
    public string Root => _root.FullName;

    public string Data => Path.Combine(Root, "data");

    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Starts <c>serving up</c> and waits until <c>/ready</c> says 200.</summary>
    public static async Task<Platform> StartAsync(params string[] arguments)
    {
        Platform platform = Launch(arguments);
        try
        {
            await platform.WaitUntilReadyAsync();
            return platform;
        }
        catch
        {
            await platform.DisposeAsync();
            throw;
        }
    }

    public static Platform Launch(params string[] arguments)
    {
        DirectoryInfo root = Directory.CreateTempSubdirectory("serving-e2e-");
        int port = FreePort();
        return new Platform(root, ["up", "--port", port.ToString(), "--data", Path.Combine(root.FullName, "data"), .. arguments], "127.0.0.1", port);
    }

    /// <summary>Starts the platform again, after it has ended in whatever way, and waits until it is ready.</summary>
    public Task RestartAsync()
    {
        _process.Dispose();
        _process = Run();
        return WaitUntilReadyAsync();
    }

    /// <summary>Starts the built command with a home and a temporary folder below <paramref name="root"/>.</summary>
    public static Process Start(DirectoryInfo root, IReadOnlyList<string> arguments)
    {
        string home = root.CreateSubdirectory("home").FullName;
        string temporary = root.CreateSubdirectory("tmp").FullName;
        // Where the tests run in the background of a script, they and all they start ignore Ctrl-C's signal, unless told otherwise.
        ProcessStartInfo start = new("env", ["--default-signal=INT", "dotnet", Path.Combine(Repository.Output("Serving"), "serving.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = root.FullName,
        };
        start.Environment["HOME"] = home;
        start.Environment["TMPDIR"] = temporary;
        start.Environment["NO_COLOR"] = "1";
        // Of the runtime of `up` itself, not of Serving: its diagnostics socket lies in the temporary folder until the process ends.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return Process.Start(start) ?? throw new InvalidOperationException("env did not start");
    }

    public async Task WaitUntilReadyAsync()
    {
        long begin = Stopwatch.GetTimestamp();
        while (!await IsReadyAsync())
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(begin) > ReadyTimeMax)
            {
                throw new InvalidOperationException($"the platform did not become ready (exited: {_process.HasExited}):\n{Output}\n{Logs()}");
            }

            await Task.Delay(100);
        }
    }

    /// <summary>Everything that the processes of this platform have logged.</summary>
    public string Logs()
    {
        StringBuilder text = new();
        string folder = Path.Combine(Data, "logs");
        if (Directory.Exists(folder))
        {
            foreach (string file in Directory.GetFiles(folder).Order())
            {
                string[] lines = File.ReadAllLines(file);
                text.AppendLine($"--- {Path.GetFileName(file)} (last 40 of {lines.Length} lines)");
                text.AppendJoin('\n', lines.TakeLast(40)).AppendLine();
            }
        }

        return text.ToString();
    }

    /// <summary>Pids of all processes, the command's own included, whose command line or environment names this platform's root.</summary>
    public IReadOnlyList<int> Processes() => ProcessTable.ThatMention(Root);

    internal void Signal(UnixSignal signal) => ProcessTable.Send(Pid, signal);

    public async Task<int> WaitForExitAsync(TimeSpan timeout)
    {
        using CancellationTokenSource cancellation = new(timeout);
        try
        {
            await _process.WaitForExitAsync(cancellation.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"`serving up` (pid {Pid}) was still running after {timeout}:\n{Output}\n{Logs()}");
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited)
        {
            Signal(UnixSignal.Terminate);
            try
            {
                await WaitForExitAsync(TimeSpan.FromSeconds(20));
            }
            catch (TimeoutException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        foreach (int pid in Processes())
        {
            ProcessTable.Send(pid, UnixSignal.Kill);
        }

        _process.Dispose();
        _root.Delete(recursive: true);
    }

    public static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private Process Run()
    {
        Process process = Start(_root, _arguments);
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
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

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (_output)
        {
            _output.AppendLine(line.Data);
        }
    }
}
