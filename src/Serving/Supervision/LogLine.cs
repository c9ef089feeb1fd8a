using System.Text.RegularExpressions;

namespace Serving.Cli.Supervision;

internal enum LineSeverity
{
    Information,
    Warning,
    Error,
}

/// <summary>A line of a host's console log, as ServiceDefaults formats it: <c>12:00:00.000 warn: Category[id] message</c>.</summary>
internal readonly partial record struct LogLine(LineSeverity Severity, string Message)
{
    /// <summary>An exception's stack is left out of the message: it is for the log, not for the console. A line of another form, such as a stack trace, is information.</summary>
    public static LogLine Parse(string line)
    {
        var match = Form().Match(line);
        if (!match.Success)
        {
            return new LogLine(LineSeverity.Information, line);
        }

        var severity = match.Groups["level"].Value switch
        {
            "warn" => LineSeverity.Warning,
            "fail" or "crit" => LineSeverity.Error,
            _ => LineSeverity.Information,
        };
        return new LogLine(severity, match.Groups["message"].Value);
    }

    /// <summary>What a process said of why it ended; null where its last line was none that complains, such as a part of a stack.</summary>
    /// <param name="tail">The end of its log.</param>
    public static string? LastWords(IEnumerable<string> tail)
    {
        var last = Parse(tail.LastOrDefault(line => !line.StartsWith(LogFile.RemarkPrefix, StringComparison.Ordinal)) ?? "");
        return last.Severity == LineSeverity.Error ? last.Message : null;
    }

    [GeneratedRegex(@"^\d\d:\d\d:\d\d\.\d{3} (?<level>[a-z]{4}): \S+\[-?\d+\] (?<message>.*?)( {4}at .*)?$")]
    private static partial Regex Form();
}
