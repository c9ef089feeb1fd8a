using System.CommandLine;
using Serving.Cli.Bench.Engine;
using Serving.Cli.Up;
using Serving.Engine.Execution;
using Serving.Engine.KvCache;

namespace Serving.Cli.Commands;

/// <summary><c>serving bench engine</c>: one model in this process, without servers.</summary>
internal sealed class BenchEngineCommand : BenchCommand
{
    private readonly Option<string> _model = ModelOption("--model", "Model: a name from 'serving model list', a GGUF file or a Hugging Face folder", ModelFile.DefaultName);

    private readonly Option<string> _compute = ComputeOption.Create("Arithmetic", ComputeClass.Fast);
    private readonly Option<KvDataType?> _kvType = KvTypeOption.Create();
    private readonly Option<int[]?> _streams = NumberList.Option("--streams", "Numbers of streams to decode", [1, 2, 4, 8, 16, 32, 64], max: 1024);
    private readonly Option<int[]?> _chunks = NumberList.Option("--chunks", "Rows of a step by which a prompt of 512 tokens is computed", [16, 64, 128, 256, 512], max: 512);
    private readonly Option<int> _prompt = new("--prompt-tokens") { Description = "Tokens that each stream begins with", HelpName = "N", DefaultValueFactory = _ => 128 };
    private readonly Option<int> _answer = new("--answer-tokens") { Description = "Decode steps that are measured", HelpName = "N", DefaultValueFactory = _ => 64 };
    private readonly Option<int> _rounds = RoundsOption(3);
    private readonly Option<int> _threads = ThreadsOption("Compute threads", () => Environment.ProcessorCount);
    private readonly Option<string?> _plot = PlotOption("tokens per second by rows of a step");
    private readonly Option<string> _data = CommandOptions.DataFolder();

    public BenchEngineCommand()
        : base(
            "engine",
            "Measure prefill and decode by batch size, against the memory bandwidth and the matrix kernel's own speed, measured in the same run.",
            "Write one JSON object: {model, processor, bounds, memory, figures: [{phase, rows, tokens_per_second, …}]}")
    {
        _prompt.Validators.Add(result => CommandOptions.CheckRange(result, _prompt, 1, 100_000));
        _answer.Validators.Add(result => CommandOptions.CheckRange(result, _answer, 1, 100_000));
        AddOptions(_model, _compute, _kvType, _streams, _chunks, _prompt, _answer, _rounds, _threads, _plot, _data);
    }

    public static IReadOnlyList<string> Examples { get; } =
    [
        "serving bench engine",
        "serving bench engine --model docs-moe --streams 1,8 --json",
        "serving bench engine --plot engine.png",
    ];

    protected override Task<int> RunAsync(ParseResult result, CancellationToken stop)
    {
        var options = new EngineBenchOptions
        {
            ModelPath = ModelPathOf(result.GetValue(_model)!, result.GetValue(_data)!),
            Compute = ComputeOption.Read(result, _compute),
            KvType = result.GetValue(_kvType),
            Threads = result.GetValue(_threads),
            Streams = result.GetValue(_streams)!,
            Chunks = result.GetValue(_chunks)!,
            PromptTokens = result.GetValue(_prompt),
            AnswerTokens = result.GetValue(_answer),
            Rounds = result.GetValue(_rounds),
        };
        var report = new EngineBenchmark(options, Reporter).Run(stop);
        Write(result, report, EngineReportWriter.WriteJson, EngineReportWriter.WriteText);
        if (result.GetValue(_plot) is { } file)
        {
            EngineReportWriter.Draw(report, file);
        }

        return Task.FromResult(0);
    }
}
