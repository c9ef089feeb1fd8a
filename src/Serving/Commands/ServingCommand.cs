using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Serving.Cli.Commands;

/// <summary>The <c>serving</c> command.</summary>
internal static class ServingCommand
{
    public static RootCommand Create()
    {
        var up = new UpCommand();
        var chat = new ChatCommand();
        var tokenizerVerify = new TokenizerVerifyCommand();
        var templateVerify = new TemplateVerifyCommand();
        var modelInspect = new ModelInspectCommand();
        var convert = new ModelConvertCommand();
        var modelVerify = new ModelVerifyCommand();
        var pull = new ModelPullCommand();
        var list = new ModelListCommand();
        var add = new ModelAddCommand();
        var remove = new ModelRemoveCommand();
        var benchEngine = new BenchEngineCommand();
        var benchServe = new BenchServeCommand();
        var benchPeer = new BenchPeerCommand();
        var root = new RootCommand("Serve language models with the OpenAI HTTP API: prompts and answers are computed by separate worker processes.")
        {
            up,
            chat,
            new Command("model", "Fetch models from a Hugging Face hub, manage those of the data folder, look into them and check them.")
            {
                pull, list, add, remove, modelInspect, modelVerify, convert,
            },
            new Command("tokenizer", "Check how texts become tokens.") { tokenizerVerify },
            new Command("template", "Check how conversations become texts.") { templateVerify },
            new Command("bench", "Measure how fast this machine serves, and against whom.") { benchEngine, benchServe, benchPeer },
        };
        var examples = new Dictionary<Command, IReadOnlyList<string>>
        {
            [root] = ["serving up", "serving chat \"What is the capital of France?\"", "serving up --help"],
            [up] = UpCommand.Examples,
            [chat] = ChatCommand.Examples,
            [modelInspect] = ModelInspectCommand.Examples,
            [convert] = ModelConvertCommand.Examples,
            [modelVerify] = ModelVerifyCommand.Examples,
            [pull] = ModelPullCommand.Examples,
            [list] = ["serving model list", "serving model list --json"],
            [add] = ModelAddCommand.Examples,
            [remove] = ["serving model remove Qwen3-0.6B-Q8_0"],
            [tokenizerVerify] = TokenizerVerifyCommand.Examples,
            [templateVerify] = TemplateVerifyCommand.Examples,
            [benchEngine] = BenchEngineCommand.Examples,
            [benchServe] = BenchServeCommand.Examples,
            [benchPeer] = BenchPeerCommand.Examples,
        };
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!, examples);
        return root;
    }

    /// <returns>The process's exit code.</returns>
    public static Task<int> RunAsync(string[] args)
    {
        var result = Create().Parse(args);
        if (result.Action is ParseErrorAction error)
        {
            // A page of help would push what is wrong off the screen.
            error.ShowHelp = false;
        }

        // Signals are the commands' own: an ordered stop takes longer than the time that this library would give it.
        return result.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }

    private sealed class HelpWithExamples(HelpAction help, IReadOnlyDictionary<Command, IReadOnlyList<string>> examples) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            var exitCode = help.Invoke(parseResult);
            var output = parseResult.InvocationConfiguration.Output;
            if (examples.TryGetValue(parseResult.CommandResult.Command, out var lines))
            {
                output.WriteLine("Examples:");
                foreach (var line in lines)
                {
                    output.WriteLine("  " + line);
                }

                output.WriteLine();
            }

            return exitCode;
        }
    }
}
