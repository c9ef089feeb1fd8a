using System.CommandLine;
using Serving.Cli.Bench;
using Serving.Cli.Models;
using Serving.Cli.Output;
using Serving.Cli.Up;
using Serving.Engine.Formats;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Cli.Commands;

/// <summary>What the benchmarks have in common.</summary>
internal abstract class BenchCommand : Command
{
    private readonly Option<bool> _json = new("--json");

    protected BenchCommand(string name, string description, string jsonDescription)
        : base(name, description)
    {
        _json.Description = jsonDescription;
        SetAction((result, _) => InvokeAsync(result));
    }

    protected static Reporter Reporter { get; } = new(Verbosity.Normal);

    protected static Option<string> ModelOption(string name, string description, string @default) => new(name)
    {
        Description = description,
        HelpName = "NAME_OR_PATH",
        DefaultValueFactory = _ => @default,
    };

    protected static Option<int> RoundsOption(int @default)
    {
        var option = new Option<int>("--rounds") { Description = "Measurements of each figure; their median counts", HelpName = "N", DefaultValueFactory = _ => @default };
        option.Validators.Add(result => CommandOptions.CheckRange(result, option, 1, 1000));
        return option;
    }

    protected static Option<int> ThreadsOption(string description, Func<int> @default)
    {
        var option = new Option<int>("--threads") { Description = description, HelpName = "N", DefaultValueFactory = _ => @default() };
        option.Validators.Add(result => CommandOptions.CheckRange(result, option, 1, Environment.ProcessorCount));
        return option;
    }

    protected static Option<string?> PlotOption(string what)
    {
        var option = new Option<string?>("--plot") { Description = $"Draw {what} into a PNG file", HelpName = "FILE.png" };
        option.Validators.Add(result => CommandOptions.Check(result, option, file => Path.GetExtension(file) == ".png", "is not a .png file"));
        // Looked at before minutes of measuring, not after them.
        option.Validators.Add(result => CommandOptions.Check(result, option, file => Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(file!))), "lies in a folder that does not exist"));
        return option;
    }

    /// <summary>The file or folder of a model by its name or path.</summary>
    /// <exception cref="StartupException">There is no such model.</exception>
    protected static string ModelPathOf(string model, string dataFolder) =>
        ModelFile.ResolveAll([model], new ModelStore(dataFolder, AppContext.BaseDirectory))[0].Path;

    /// <summary>Adds the command's options and, at the end, <c>--json</c>.</summary>
    protected void AddOptions(params IEnumerable<Option> own) => CommandOptions.AddTo(this, [.. own, _json]);

    /// <summary>Writes a report as <c>--json</c> asks for it.</summary>
    protected void Write<TReport>(ParseResult result, TReport report, Action<TReport, TextWriter> json, Action<TReport, TextWriter> text) =>
        (result.GetValue(_json) ? json : text)(report, result.InvocationConfiguration.Output);

    /// <returns>The exit code.</returns>
    protected abstract Task<int> RunAsync(ParseResult result, CancellationToken stop);

    private async Task<int> InvokeAsync(ParseResult result)
    {
        using var signals = new StopSignals();
        var error = result.InvocationConfiguration.Error;
        try
        {
            return await RunAsync(result, signals.Stop);
        }
        catch (Exception e) when (e is BenchException or StartupException or ModelFormatException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync(e.Message);
            return 1;
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("Stopped.");
            return 130;
        }
    }
}
