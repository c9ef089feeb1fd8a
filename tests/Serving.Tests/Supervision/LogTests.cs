using Serving.Cli.Supervision;

namespace Serving.Serving.Tests.Supervision;

public sealed class LogTests
{
    [Fact]
    public void A_full_log_becomes_the_one_before()
    {
        using var folder = new TemporaryFolder();
        using (var log = new LogFile(folder.File("x.log"), bytesMax: 30))
        {
            for (var i = 0; i < 9; i++)
            {
                log.WriteLine($"line {i} 890");
            }
        }

        Assert.Equal(["x.log", "x.log.1"], Directory.GetFiles(folder.Root).Select(Path.GetFileName).Order());
        Assert.True(new FileInfo(folder.File("x.log")).Length <= 40);
        Assert.EndsWith("line 8 890\n", File.ReadAllText(folder.File("x.log")));
    }

    [Fact]
    public void The_tail_holds_the_last_lines()
    {
        using var folder = new TemporaryFolder();
        using var log = new LogFile(folder.File("x.log"));
        for (var i = 0; i < 30; i++)
        {
            log.WriteLine($"{i}");
        }

        Assert.Equal(Enumerable.Range(10, 20).Select(i => $"{i}"), log.Tail);
    }

    [Fact]
    public void A_closed_log_takes_late_lines_silently()
    {
        using var folder = new TemporaryFolder();
        var log = new LogFile(folder.File("x.log"));
        log.Dispose();
        log.WriteLine("late");
        Assert.Equal(["late"], log.Tail);
    }

    [Fact]
    public void The_last_words_of_a_process_say_why_it_ended()
    {
        const string why = "12:00:00.000 crit: Host[5002] Cannot load the models: the file is empty.";
        const string end = "-- worker ended with exit code 1";
        Assert.Equal("Cannot load the models: the file is empty.", LogLine.LastWords(["12:00:00.000 info: A.B[1] Fine.", why, end]));
        Assert.Null(LogLine.LastWords([why, "Unhandled exception. System.Exception", "   at A.B()", end]));
        Assert.Null(LogLine.LastWords([end]));
        Assert.Null(LogLine.LastWords([]));
    }

    [Theory]
    [InlineData("12:00:00.000 warn: Serving.Worker.Loop[1103] The registry is away.", "Warning", "The registry is away.")]
    [InlineData("12:00:00.000 crit: Program[1001] Cannot start: no model", "Error", "Cannot start: no model")]
    [InlineData("12:00:00.000 info: A.B[1] Fine.", "Information", "Fine.")]
    [InlineData("12:00:00.000 warn: A.B[1] A worker was lost. System.IOException: Refused    at A.B.Open() in /src/B.cs:line 31    at A.C()", "Warning", "A worker was lost. System.IOException: Refused")]
    [InlineData("   at System.Main()", "Information", "   at System.Main()")]
    public void Console_log_lines_tell_their_severity(string line, string severity, string message)
    {
        var parsed = LogLine.Parse(line);
        Assert.Equal((severity, message), (parsed.Severity.ToString(), parsed.Message));
    }
}
