using Serving.Cli.Commands;

var exitCode = await ServingCommand.RunAsync(args);
// The embedded Redis may leave threads behind; what had to be stopped in order has been.
Environment.Exit(exitCode);
