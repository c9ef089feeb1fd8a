using System.CommandLine;
using Serving.Cli.Bench;
using Serving.Cli.Bench.Peer;
using Serving.Cli.Models;
using Serving.Cli.Output;
using Serving.Cli.Up;
using Serving.Engine.Formats;
using Serving.ServiceDefaults.Hosting;

namespace Serving.Cli.Commands;

/// <summary><c>serving bench peer</c>: our engine against llama.cpp, in turns in one process.</summary>
internal sealed class BenchPeerCommand : Command
{
    private readonly Option<string?> _only = new("--only")
    {
        Description = $"Cases to measure, separated by commas (default: {string.Join(',', PeerCase.All.Select(one => one.Name))})",
        HelpName = "CASES",
    };

    private readonly Option<int> _rounds = new("--rounds") { Description = "Measurements of each side; their median counts", HelpName = "N", DefaultValueFactory = _ => 5 };

    private readonly Option<int> _threads = new("--threads") { Description = "Compute threads of each side", HelpName = "N", DefaultValueFactory = _ => 2 };

    private readonly Option<string> _model = new("--model")
    {
        Description = "Model of the decode and prefill cases: a name from 'serving model list' or a GGUF file",
        HelpName = "NAME_OR_PATH",
        DefaultValueFactory = _ => ModelFile.DefaultName,
    };

    private readonly Option<string> _moeModel = new("--moe-model")
    {
        Description = "Model of the moe cases",
        HelpName = "NAME_OR_PATH",
        DefaultValueFactory = _ => "docs-moe",
    };

    private readonly Option<string?> _library = new("--peer-lib")
    {
        Description = "libllama of a native build, or its folder (default: npm's build in tests/tools/llama-cpp)",
        HelpName = "PATH",
    };

    private readonly Option<bool> _json = new("--json") { Description = "Write one JSON object: {ratios, cases, processor, engine, llama_cpp, settings}" };

    private readonly Option<string> _data = CommandOptions.DataFolder();

    public BenchPeerCommand()
        : base("peer", "Measure this engine and llama.cpp side by side: the same files, prompts and threads, in turns. docs/howto/benchmark.md tells how llama.cpp gets here.")
    {
        _rounds.Validators.Add(result => CommandOptions.CheckRange(result, _rounds, 1, 1000));
        _threads.Validators.Add(result => CommandOptions.CheckRange(result, _threads, 1, Environment.ProcessorCount));
        CommandOptions.AddTo(this, [_only, _rounds, _threads, _model, _moeModel, _library, _json, _data]);
        SetAction(Run);
    }

    public static IReadOnlyList<string> Examples { get; } =
    [
        "serving bench peer",
        "serving bench peer --only decode_8,prefill_512 --rounds 7 --json",
        "SERVING_SIMD=avx2 serving bench peer",
    ];

    private int Run(ParseResult result)
    {
        using var signals = new StopSignals();
        var error = result.InvocationConfiguration.Error;
        try
        {
            var cases = PeerCase.Select(result.GetValue(_only));
            var library = LlamaLibrary.Load(PeerLibrary.Locate(result.GetValue(_library), AppContext.BaseDirectory));
            var store = new ModelStore(result.GetValue(_data)!, AppContext.BaseDirectory);
            var benchmark = new PeerBenchmark(
                library,
                ModelPathOf(result.GetValue(_model)!, store),
                ModelPathOf(result.GetValue(_moeModel)!, store),
                result.GetValue(_threads),
                result.GetValue(_rounds),
                new Reporter(Verbosity.Normal));
            var report = benchmark.Run(cases, signals.Stop);
            Action<PeerReport, TextWriter> write = result.GetValue(_json) ? PeerReportWriter.WriteJson : PeerReportWriter.WriteText;
            write(report, result.InvocationConfiguration.Output);
            return 0;
        }
        catch (Exception e) when (e is BenchException or StartupException or ModelFormatException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            error.WriteLine(e.Message);
            return 1;
        }
        catch (OperationCanceledException)
        {
            error.WriteLine("Stopped.");
            return 130;
        }
    }

    private static string ModelPathOf(string model, ModelStore store) => ModelFile.ResolveAll([model], store)[0].Path;
}
