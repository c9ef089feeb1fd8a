using System.Diagnostics;

namespace Serving.Cli.Supervision;

/// <summary>
/// A process of the operating system. This process holds the only writing end of its standard input, so the kernel closes it, and the child
/// stops, however this process ends.
/// </summary>
internal sealed class ChildProcess : IChild
{
    private readonly Process _process;

    private ChildProcess(Process process)
    {
        _process = process;
        Ended = WaitAsync();
    }

    public int Pid => _process.Id;

    public Task<int> Ended { get; }

    public static ChildProcess Start(ChildSpec spec, Action<string> onLine)
    {
        var start = new ProcessStartInfo(spec.FileName, spec.Arguments)
        {
            WorkingDirectory = spec.WorkingDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in spec.Environment)
        {
            start.Environment[name] = value;
        }

        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Pass(line.Data);
        process.ErrorDataReceived += (_, line) => Pass(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new ChildProcess(process);

        void Pass(string? line)
        {
            if (line is not null)
            {
                onLine(line);
            }
        }
    }

    public void OrderStop()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    public void Dispose() => _process.Dispose();

    private async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }
}

/// <summary>Starts real processes.</summary>
internal sealed class ChildProcessLauncher : IChildLauncher
{
    public IChild Launch(ChildSpec spec, Action<string> onLine) => ChildProcess.Start(spec, onLine);
}
