using System.CommandLine;
using Serving.Cli.Output;
using Serving.Cli.Verify;

namespace Serving.Cli.Commands;

/// <summary>What the commands that compare this program with recorded reference outputs have in common.</summary>
internal abstract class VerifyCommand : Command
{
    private const int MissesShown = 10;

    private readonly Option<bool> _json = new("--json")
    {
        Description = "Write one JSON object: {rows, failed, misses: [{row, name, column, expected, got}]}",
    };

    private readonly Option<bool> _all = new("--all") { Description = $"Show every miss, not only the first {MissesShown}" };

    protected VerifyCommand(string description)
        : base("verify", description + " Rows count from 0. The exit code is 1 where a row differs or a file is broken.") =>
        SetAction(Run);

    /// <summary>Adds the options that every such command has, after its own.</summary>
    protected void AddCommonOptions() => CommandOptions.AddTo(this, [_json, _all]);

    /// <exception cref="VerifyException">While rows are read: a file is broken.</exception>
    protected abstract IEnumerable<VerifiedRow> Compare(ParseResult result);

    private int Run(ParseResult result)
    {
        try
        {
            var report = VerifyReport.Of(Compare(result), result.GetValue(_all) ? int.MaxValue : MissesShown);
            if (report.Rows == 0)
            {
                throw new VerifyException("There are no rows to verify: a pass would say nothing.");
            }

            Action<VerifyReport, TextWriter> write = result.GetValue(_json) ? VerifyReportWriter.WriteJson : VerifyReportWriter.WriteText;
            write(report, result.InvocationConfiguration.Output);
            return report.Failed == 0 ? 0 : 1;
        }
        catch (VerifyException e)
        {
            result.InvocationConfiguration.Error.WriteLine(PrintableLine.Of(e.Message));
            return 1;
        }
    }
}
