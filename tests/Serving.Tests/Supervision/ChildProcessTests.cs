using Serving.Cli.Supervision;

namespace Serving.Serving.Tests.Supervision;

public sealed class ChildProcessTests
{
    [Fact]
    public async Task The_end_of_its_input_is_the_order_to_stop()
    {
        var lines = new List<string>();
        using var child = Start("echo out; echo err >&2; read -r line || echo ended; exit 7", lines.Add);
        child.OrderStop();
        Assert.Equal(7, await child.Ended.WaitAsync(TestContext.Current.CancellationToken));
        Assert.Equal(["ended", "err", "out"], lines.Order());
    }

    [Fact]
    public async Task A_killed_child_reports_the_signal()
    {
        using var child = Start("read -r line", _ => { });
        child.Kill();
        Assert.Equal(137, await child.Ended.WaitAsync(TestContext.Current.CancellationToken));
        child.Kill();
        child.OrderStop();
    }

    [Fact]
    public async Task Variables_are_set_and_removed()
    {
        var lines = new List<string>();
        using var child = Start("echo \"$SERVING_A ${HOME-none}\"", lines.Add);
        await child.Ended.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(["1 none"], lines);
    }

    private static ChildProcess Start(string script, Action<string> onLine)
    {
        var gate = new Lock();
        var environment = new Dictionary<string, string?> { ["SERVING_A"] = "1", ["HOME"] = null };
        var spec = new ChildSpec("child", "/bin/sh", ["-c", script], environment, Path.GetTempPath(), TimeSpan.FromSeconds(5));
        return ChildProcess.Start(spec, line =>
        {
            lock (gate)
            {
                onLine(line);
            }
        });
    }
}
