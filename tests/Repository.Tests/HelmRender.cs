using System.Diagnostics;

namespace Serving.Repository.Tests;

/// <summary>Runs tests/tools/helm-render, which needs Debian's Go and two of its libraries; the test is skipped where they are not.</summary>
internal static class HelmRender
{
    private const string GoPath = "/usr/share/gocode";

    public static string Run(string chart, string settings)
    {
        Assert.SkipUnless(
            File.Exists("/usr/bin/go") && Directory.Exists(GoPath + "/src/github.com/Masterminds/sprig") && Directory.Exists(GoPath + "/src/sigs.k8s.io/yaml"),
            "Rendering needs the packages golang-go, golang-github-masterminds-sprig-dev and golang-k8s-sigs-yaml-dev.");

        string cache = Path.Combine(AppContext.BaseDirectory, "go-cache");
        ProcessStartInfo start = new("/usr/bin/go", ["run", RepositoryFiles.Absolute("tests/tools/helm-render/main.go"), chart, .. settings.Split(' ', StringSplitOptions.RemoveEmptyEntries)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["GO111MODULE"] = "off", ["GOPATH"] = GoPath, ["GOCACHE"] = cache, ["GOFLAGS"] = string.Empty },
        };
        using Process go = Process.Start(start)!;
        Task<string> errors = go.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = go.StandardOutput.ReadToEnd();
        go.WaitForExit();
        Assert.True(go.ExitCode == 0, errors.Result);
        return output;
    }
}
