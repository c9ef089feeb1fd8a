using System.CommandLine;
using Serving.Cli.Machine;
using Serving.Cli.Models;
using Serving.Cli.Up;
using Serving.Engine.KvCache;
using Serving.Text.ToolCalls;

namespace Serving.Cli.Commands;

/// <summary>What the workers serve and what they may use for it.</summary>
internal sealed class WorkerOptions
{
    private readonly Option<string[]> _models = new("--model")
    {
        Description = "Model to serve: a name from 'serving model list', a GGUF file, a folder with one, a Hugging Face folder, or any of them as NAME=PATH; "
            + $"may be given several times. 'all': the models that come with the repository (default: {ModelFile.DefaultName} and {ModelFile.DefaultEmbedderName}, two of these)",
        HelpName = "NAME_OR_PATH",
    };

    private readonly Option<string[]> _aliases = new("--model-alias")
    {
        Description = "Another name that clients may use for a served model; may be given several times (default: none)",
        HelpName = "NAME=MODEL",
    };

    private readonly Option<string[]> _toolParsers = new("--tool-parser")
    {
        Description = $"Form in which models write tool calls: {string.Join(", ", AnswerFormat.Names)}; may be given several times (default: what each model's chat template says)",
        HelpName = "[MODEL=]NAME",
    };

    private readonly Option<int?> _threads = new("--threads")
    {
        Description = "Compute threads in all: from 4 on each worker gets half, below both share them (default: one a core)",
        HelpName = "N",
    };

    private readonly Option<string> _memory = new("--memory")
    {
        Description = "Memory for weights, KV cache and scratch in all, such as 4GiB (default: 0.6 of the container's limit or the machine's memory)",
        HelpName = "SIZE",
    };

    private readonly Option<string> _compute = new("--compute")
    {
        Description = "Arithmetic: fast multiplies quantized integers, fp32 is the slow reference",
        HelpName = "fast|fp32",
        DefaultValueFactory = _ => "fast",
    };

    private readonly Option<KvDataType?> _kvType = KvTypeOption.Create();

    private readonly Option<string> _prefixCache = new("--prefix-cache")
    {
        Description = "Whether computed KV blocks are kept for prompts with the same beginning",
        HelpName = "on|off",
        DefaultValueFactory = _ => "on",
    };

    private readonly Option<string> _speculation = new("--speculation")
    {
        Description = "Whether tokens that repeat the prompt or the answer are guessed and verified, several in a step",
        HelpName = "on|off",
        DefaultValueFactory = _ => "on",
    };

    private readonly Option<string> _weightCache = new("--weight-cache")
    {
        Description = "Folder for packed weights, which workers share and find at the next start; off: each worker packs into its own memory (default: weights, in the data folder)",
        HelpName = "DIR|off",
    };

    public WorkerOptions()
    {
        _speculation.Validators.Add(result => CommandOptions.Check(result, _speculation, text => text is "on" or "off", "is not known: give on or off"));
        _prefixCache.Validators.Add(result => CommandOptions.Check(result, _prefixCache, text => text is "on" or "off", "is not known: give on or off"));
        _compute.Validators.Add(result => CommandOptions.Check(result, _compute, text => text is "fast" or "fp32", "is not known: give fast or fp32"));
        _memory.Validators.Add(result => CommandOptions.Check(result, _memory, text => ByteSize.TryParse(text, out _), "is not an amount of memory such as 4GiB or 512MiB"));
    }

    public IReadOnlyList<Option> All => [_models, _aliases, _toolParsers, _threads, _memory, _compute, _kvType, _weightCache, _prefixCache, _speculation];

    /// <exception cref="ServiceDefaults.Hosting.StartupException">There is no such model, or this machine cannot do what is asked.</exception>
    public PlatformSettings Read(ParseResult result, string dataFolder)
    {
        var models = ToolParserChoice.Apply(
            ModelFile.ResolveAll(result.GetValue(_models) ?? [], new ModelStore(dataFolder, AppContext.BaseDirectory)), result.GetValue(_toolParsers) ?? []);
        long? memory = result.GetValue(_memory) is { } text && ByteSize.TryParse(text, out var bytes) ? bytes : null;
        var (prefill, decode) = WorkerShare.Divide(MachineResources.Read(), result.GetValue(_threads), memory);
        return new PlatformSettings
        {
            DataFolder = dataFolder,
            Models = models,
            ModelAliases = ModelAlias.ResolveAll(result.GetValue(_aliases) ?? [], models),
            Prefill = prefill,
            Decode = decode,
            Compute = result.GetValue(_compute)!,
            KvType = result.GetValue(_kvType),
            WeightCache = result.GetValue(_weightCache) switch
            {
                null => null,
                "off" => "",
                var folder => Path.GetFullPath(folder),
            },
            PrefixCache = result.GetValue(_prefixCache) == "on",
            Speculation = result.GetValue(_speculation) == "on",
        };
    }
}
