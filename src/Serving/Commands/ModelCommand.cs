using System.CommandLine;
using Serving.Cli.Models;
using Serving.Cli.Output;

namespace Serving.Cli.Commands;

/// <summary>What the commands about the data folder's models have in common.</summary>
internal abstract class ModelCommand : Command
{
    private readonly Option<string> _data = CommandOptions.DataFolder();

    protected ModelCommand(string name, string description)
        : base(name, description) =>
        SetAction((result, _) => RunAsync(result));

    protected static Option<string> NameOption(string description)
    {
        var option = new Option<string>("--name") { Description = description, HelpName = "NAME" };
        option.Validators.Add(result => CommandOptions.Check(result, option, ModelName.IsValid, $"cannot be a model's name: {ModelName.Rule}"));
        return option;
    }

    /// <summary>Adds the options that every such command has, after its own.</summary>
    protected void AddOptions(params IEnumerable<Option> own) => CommandOptions.AddTo(this, [.. own, _data]);

    /// <returns>The exit code.</returns>
    protected abstract Task<int> RunAsync(ParseResult result, ModelStore store, CancellationToken stop);

    private async Task<int> RunAsync(ParseResult result)
    {
        using var signals = new StopSignals();
        var error = result.InvocationConfiguration.Error;
        try
        {
            return await RunAsync(result, new ModelStore(result.GetValue(_data)!, AppContext.BaseDirectory), signals.Stop);
        }
        catch (ModelException e)
        {
            await error.WriteLineAsync(e.Message);
            return 1;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"The data folder cannot be used: {e.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("Stopped. The same command goes on from here.");
            return 130;
        }
    }
}
