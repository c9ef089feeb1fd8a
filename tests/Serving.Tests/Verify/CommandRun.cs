using System.CommandLine;
using Serving.Cli.Commands;

namespace Serving.Serving.Tests.Verify;

/// <summary>What one run of the <c>serving</c> command left behind.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    public static async Task<CommandRun> Of(params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        var exitCode = await ServingCommand.Create().Parse(args).InvokeAsync(new InvocationConfiguration { Output = output, Error = error });
        return new CommandRun(exitCode, output.ToString(), error.ToString());
    }
}
