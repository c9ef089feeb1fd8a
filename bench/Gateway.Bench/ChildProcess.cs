using System.Diagnostics;

namespace Serving.Gateway.Bench;

/// <summary>This program in another role, in a process of its own, which ends with this one.</summary>
internal sealed class ChildProcess : IDisposable
{
    private readonly Process _process;

    private ChildProcess(Process process, string[] addresses)
    {
        _process = process;
        Addresses = addresses;
    }

    /// <summary>Where it listens.</summary>
    public string[] Addresses { get; }

    public static async Task<ChildProcess> StartAsync(params string[] arguments)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true };
        Process process = Process.Start(start)!;
        string line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"'{arguments[0]}' ended before it listened.");
        return new ChildProcess(process, line.Split(' '));
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
