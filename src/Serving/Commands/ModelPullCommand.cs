using System.CommandLine;
using Serving.Cli.Hub;
using Serving.Cli.Machine;
using Serving.Cli.Models;
using Serving.Cli.Output;
using Spectre.Console;

namespace Serving.Cli.Commands;

/// <summary><c>serving model pull</c>: fetches a model from a Hugging Face hub into the data folder.</summary>
internal sealed class ModelPullCommand : ModelCommand
{
    private readonly Argument<string> _model = new("OWNER/NAME[:FILE]")
    {
        Description = "Repository, and which GGUF file of it: a name, a pattern such as *Q8_0*, or a quantisation such as Q4_K_M. All parts of a split file come together",
    };

    private readonly Option<string> _revision = new("--revision")
    {
        Description = "Branch, tag or commit",
        HelpName = "REV",
        DefaultValueFactory = _ => "main",
    };

    private readonly Option<string> _name = NameOption("What to call it (default: as its file or repository is called)");

    public ModelPullCommand()
        : base("pull", "Fetch a model from a Hugging Face hub. HF_ENDPOINT names another hub, HF_TOKEN is sent to it for private and gated models. A pull that was cut goes on where it ended.")
    {
        Arguments.Add(_model);
        AddOptions(_revision, _name);
    }

    public static IReadOnlyList<string> Examples { get; } =
    [
        "serving model pull Qwen/Qwen3-0.6B",
        "serving model pull ggml-org/Qwen3-0.6B-GGUF:Q8_0",
        "HF_TOKEN=hf_… serving model pull meta-llama/Llama-3.2-1B-Instruct --revision main",
    ];

    protected override async Task<int> RunAsync(ParseResult result, ModelStore store, CancellationToken stop)
    {
        var model = ModelReference.Parse(result.GetValue(_model)!, result.GetValue(_revision)!);
        using var client = new HubClient(HubOptions.FromEnvironment(Environment.GetEnvironmentVariable), TimeProvider.System);
        var name = result.GetValue(_name);
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(result.InvocationConfiguration.Error) });
        var pulled = console.Profile.Capabilities.Interactive && console.Profile.Out.IsTerminal
            ? await PullBars.RunAsync(console, bars => new ModelPull(client, store, TimeProvider.System, bars).RunAsync(model, name, stop))
            : await new ModelPull(client, store, TimeProvider.System, new PullLines(result.InvocationConfiguration.Error, TimeProvider.System)).RunAsync(model, name, stop);
        await result.InvocationConfiguration.Output.WriteLineAsync(pulled.IsNew
            ? $"{pulled.Name}: {ByteSize.Format(pulled.Size)} of commit {pulled.Commit[..8]} in {pulled.Path}\nServe it: serving up --model {pulled.Name}"
            : $"{pulled.Name} is complete and up to date (commit {pulled.Commit[..8]}); nothing was fetched. It is in {pulled.Path}");
        return 0;
    }
}
