using System.CommandLine;
using Serving.Cli.Bench.Peer;
using Serving.Cli.Up;

namespace Serving.Cli.Commands;

/// <summary><c>serving bench peer</c>: our engine against llama.cpp, in turns in one process.</summary>
internal sealed class BenchPeerCommand : BenchCommand
{
    private readonly Option<string?> _only = new("--only")
    {
        Description = $"Cases to measure, separated by commas (default: {string.Join(',', PeerCase.All.Select(one => one.Name))})",
        HelpName = "CASES",
    };

    private readonly Option<string?> _library = new("--peer-lib")
    {
        Description = "libllama of a native build, or its folder (default: npm's build in tests/tools/llama-cpp)",
        HelpName = "PATH",
    };

    private readonly Option<string> _model = ModelOption("--model", "GGUF model of the decode and prefill cases: a name from 'serving model list' or a path", ModelFile.DefaultName);
    private readonly Option<string> _moeModel = ModelOption("--moe-model", "GGUF model of the moe cases", "docs-moe");
    private readonly Option<int> _rounds = RoundsOption(5);
    private readonly Option<int> _threads = ThreadsOption("Compute threads of each side", () => 2);
    private readonly Option<string> _data = CommandOptions.DataFolder();

    public BenchPeerCommand()
        : base(
            "peer",
            "Measure this engine and llama.cpp side by side: the same files, prompts and threads, in turns. docs/howto/benchmark.md tells how llama.cpp gets here.",
            "Write one JSON object: {ratios, cases, processor, engine, llama_cpp, settings}") =>
        AddOptions(_only, _rounds, _threads, _model, _moeModel, _library, _data);

    public static IReadOnlyList<string> Examples { get; } =
    [
        "serving bench peer",
        "serving bench peer --only decode_8,prefill_512 --rounds 7 --json",
        "SERVING_SIMD=avx2 serving bench peer",
    ];

    protected override Task<int> RunAsync(ParseResult result, CancellationToken stop)
    {
        var cases = PeerCase.Select(result.GetValue(_only));
        var data = result.GetValue(_data)!;
        var benchmark = new PeerBenchmark(
            LlamaLibrary.Load(PeerLibrary.Locate(result.GetValue(_library), AppContext.BaseDirectory)),
            ModelPathOf(result.GetValue(_model)!, data),
            ModelPathOf(result.GetValue(_moeModel)!, data),
            result.GetValue(_threads),
            result.GetValue(_rounds),
            Reporter);
        Write(result, benchmark.Run(cases, stop), PeerReportWriter.WriteJson, PeerReportWriter.WriteText);
        return Task.FromResult(0);
    }
}
