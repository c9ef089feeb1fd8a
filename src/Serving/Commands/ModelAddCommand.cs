using System.CommandLine;
using Serving.Cli.Machine;
using Serving.Cli.Models;

namespace Serving.Cli.Commands;

/// <summary><c>serving model add</c>: gives a model of this machine a name in the data folder.</summary>
internal sealed class ModelAddCommand : ModelCommand
{
    private readonly Argument<string> _path = new("PATH") { Description = "A GGUF file, a folder with one, or a Hugging Face folder" };
    private readonly Option<string> _name = NameOption("What to call it (default: as its file or folder is called)");
    private readonly Option<bool> _copy = new("--copy") { Description = "Copy its files into the data folder (default: they stay where they are)" };

    public ModelAddCommand()
        : base("add", "Give a model that is on this machine a name, so that 'serving up --model NAME' serves it.")
    {
        Arguments.Add(_path);
        AddOptions(_name, _copy);
    }

    public static IReadOnlyList<string> Examples { get; } =
    [
        "serving model add ~/models/Qwen3-0.6B-Q8_0.gguf",
        "serving model add ~/models/Qwen3-0.6B --name qwen3 --copy",
    ];

    protected override async Task<int> RunAsync(ParseResult result, ModelStore store, CancellationToken stop)
    {
        var added = await ModelAdding.RunAsync(store, result.GetValue(_path)!, result.GetValue(_name), result.GetValue(_copy), TimeProvider.System, stop);
        await result.InvocationConfiguration.Output.WriteLineAsync(
            $"{added.Name}: {added.Format}, {ByteSize.Format(added.Size)}, in {added.Path}\nServe it: serving up --model {added.Name}");
        return 0;
    }
}
