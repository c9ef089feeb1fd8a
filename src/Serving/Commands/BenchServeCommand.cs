using System.CommandLine;
using Serving.Cli.Bench;
using Serving.Cli.Bench.Peer;
using Serving.Cli.Bench.Serve;
using Serving.Cli.Models;
using Serving.Cli.Up;

namespace Serving.Cli.Commands;

/// <summary><c>serving bench serve</c>: a load on a running server, open (arrivals that do not wait) or closed (so many streams).</summary>
internal sealed class BenchServeCommand : BenchCommand
{
    private const int DefaultRequests = 100;
    private const int DefaultLength = 128;

    private readonly Option<Uri> _url = CommandOptions.Url("Address of the API without /v1");
    private readonly Option<bool> _up = new("--up") { Description = "Start a platform for the time of the benchmark, in place of --url" };
    private readonly Option<string> _model = ModelOption("--model", "Model to ask; with --up and --engine also a path", ModelFile.DefaultName);
    private readonly Option<string?> _apiKey = new("--api-key") { Description = $"Key that the API asks for (default: the environment's {CommandOptions.ApiKeyVariable})", HelpName = "KEY" };
    private readonly Option<bool> _ignoreEos = new("--ignore-eos") { Description = "Ask for answers of full length; not every server knows the field" };
    private readonly Option<string?> _trace = new("--trace") { Description = "Arrivals and lengths from Azure's CSV or Mooncake's JSON lines (default: Poisson)", HelpName = "FILE" };
    private readonly Option<double?> _rate = new("--rate") { Description = "Requests per second (default: the trace's own, without a trace 1)", HelpName = "R" };
    private readonly Option<int?> _requests = new("--requests") { Description = $"End after so many requests (default: {DefaultRequests} where there is no --duration)", HelpName = "N" };
    private readonly Option<double?> _duration = new("--duration") { Description = "End after arrivals of so many seconds", HelpName = "SECONDS" };
    private readonly Option<int?> _input = new("--input-tokens") { Description = $"Mean length of a prompt, about (default: the trace's own, without a trace {DefaultLength})", HelpName = "N" };
    private readonly Option<int?> _output = new("--output-tokens") { Description = $"Mean of the most tokens of an answer (default: the trace's own, without a trace {DefaultLength})", HelpName = "N" };
    private readonly Option<int> _seed = new("--seed") { Description = "Of the Poisson arrivals", HelpName = "N", DefaultValueFactory = _ => 1 };
    private readonly Option<double> _sloTtft = new("--slo-ttft") { Description = "Longest time to the first token that is good", HelpName = "MS", DefaultValueFactory = _ => 1000 };
    private readonly Option<double> _sloTbt = new("--slo-tbt") { Description = "Longest time between two tokens that is good, at an answer's 99th percentile", HelpName = "MS", DefaultValueFactory = _ => 100 };
    private readonly Option<double> _timeout = new("--timeout") { Description = "A request that takes longer is given up", HelpName = "SECONDS", DefaultValueFactory = _ => 120 };
    private readonly Option<int[]?> _streams = NumberList.Option("--streams", "Closed load: so many answers at once, their decode speed while all are under way", [], max: 1024);
    private readonly Option<bool> _engine = new("--engine") { Description = "With --streams: measure the engine by itself in turns with the server, which has to be on this machine; both without speculation where --up starts it" };
    private readonly Option<int> _rounds = RoundsOption(3);
    private readonly Option<string?> _plot = PlotOption("the distributions of an open load");
    private readonly Option<string> _data = CommandOptions.DataFolder();

    public BenchServeCommand()
        : base(
            "serve",
            "Load a running server: arrivals of a trace or of a Poisson process, latencies and goodput; or a fixed number of streams (--streams), their decode speed.",
            "Write one JSON object: {requests, ttft_ms, tbt_ms, e2e_ms, goodput, …}, with --streams {ratios, streams}")
    {
        foreach (var option in new Option<double?>[] { _rate, _duration })
        {
            option.Validators.Add(result => CommandOptions.CheckRange(result, option, 0.001, 100_000));
        }

        foreach (var option in new Option<int?>[] { _requests, _input, _output })
        {
            option.Validators.Add(result => CommandOptions.CheckRange(result, option, 1, 1_000_000));
        }

        foreach (var option in new[] { _sloTtft, _sloTbt, _timeout })
        {
            option.Validators.Add(result => CommandOptions.CheckRange(result, option, 0.001, 1_000_000));
        }

        Validators.Add(result =>
        {
            if (result.GetValue(_engine) && StreamsOf(result.GetValue(_streams)) is null)
            {
                result.AddError("--engine goes with --streams.");
            }

            if (StreamsOf(result.GetValue(_streams)) is not null && (result.GetValue(_trace) is not null || result.GetValue(_plot) is not null))
            {
                result.AddError("--streams is a closed load: --trace and --plot are for an open one.");
            }
        });
        AddOptions(
            _url, _up, _model, _apiKey, _ignoreEos, _trace, _rate, _requests, _duration, _input, _output, _seed, _sloTtft, _sloTbt, _timeout, _streams, _engine, _rounds, _plot, _data);
    }

    public static IReadOnlyList<string> Examples { get; } =
    [
        "serving bench serve --rate 4 --duration 60",
        "serving bench serve --trace bench/traces/azure-conversation.csv --rate 2 --requests 200 --input-tokens 128 --output-tokens 64 --plot load.png",
        "serving bench serve --up --streams 1,8,32 --engine",
    ];

    protected override async Task<int> RunAsync(ParseResult result, CancellationToken stop)
    {
        // Read first: a mistake in it need not wait for a platform.
        var streams = StreamsOf(result.GetValue(_streams));
        var plan = streams is null ? Plan(result) : [];
        await using var platform = result.GetValue(_up) ? await OwnPlatform.StartAsync(ModelOf(result), speculation: !result.GetValue(_engine), Reporter, stop) : null;
        var target = new LoadTarget(
            platform?.Url ?? result.GetValue(_url)!,
            platform is null ? result.GetValue(_model)! : ModelOf(result).Name,
            result.GetValue(_apiKey) ?? CommandOptions.ApiKeyFromEnvironment(),
            result.GetValue(_ignoreEos),
            TimeSpan.FromSeconds(result.GetValue(_timeout)));
        using var client = new LoadClient(target);
        await (streams is null ? RunOpenAsync(result, client, target, plan, stop) : RunStreamsAsync(result, client, target, streams, stop));
        return 0;
    }

    /// <summary>Null where the option is absent, which the library gives as an empty list.</summary>
    private static int[]? StreamsOf(int[]? given) => given is { Length: > 0 } ? given : null;

    private async Task RunOpenAsync(ParseResult result, LoadClient client, LoadTarget target, IReadOnlyList<TraceRequest> plan, CancellationToken stop)
    {
        var (outcomes, seconds) = await OpenLoop.RunAsync(client, plan, Reporter, stop);
        var load = result.GetValue(_trace) is { } trace ? Path.GetFileName(trace) : "Poisson arrivals";
        var offered = plan.Count > 1 ? (plan.Count - 1) / plan[^1].ArrivalSeconds : 0;
        var objective = new ServiceObjective(result.GetValue(_sloTtft) / 1e3, result.GetValue(_sloTbt) / 1e3);
        var report = new ServeReport(BenchMachine.Read(), target, load, offered, objective, outcomes, seconds);
        Write(result, report, ServeReportWriter.WriteJson, ServeReportWriter.WriteText);
        if (report.Complete.Count == 0)
        {
            throw new BenchException($"No request was answered ({string.Join(", ", report.Errors.Keys)}). Is a server running at {target.Url}, and does it serve {target.Model}?");
        }

        if (result.GetValue(_plot) is { } file)
        {
            ServeReportWriter.Draw(report, file);
        }
    }

    private async Task RunStreamsAsync(ParseResult result, LoadClient client, LoadTarget target, int[] streams, CancellationToken stop)
    {
        var (input, output) = (result.GetValue(_input) ?? DefaultLength, result.GetValue(_output) ?? DefaultLength);
        PeerCase[] cases = [.. streams.Select(count => new PeerCase("", IsMoe: false, count, input, output))];
        using var side = result.GetValue(_engine) ? new EngineSide(ModelOf(result).Path, Environment.ProcessorCount, cases) : null;
        var benchmark = new StreamsBenchmark(client, input, output, result.GetValue(_rounds), side is null ? null : Decode, Reporter);
        var figures = await benchmark.RunAsync(streams, stop);
        Write(result, new StreamsReport(BenchMachine.Read(), target, figures), StreamsReportWriter.WriteJson, StreamsReportWriter.WriteText);

        double Decode(int count)
        {
            side.Prepare(cases[Array.IndexOf(streams, count)], RandomPrompts.Create(count, input, side.Model.VocabularySize, count));
            return side.Measure().TokensPerSecond;
        }
    }

    private IReadOnlyList<TraceRequest> Plan(ParseResult result)
    {
        var (requests, duration) = (result.GetValue(_requests), result.GetValue(_duration));
        var limits = new LoadLimits(requests ?? (duration is null ? DefaultRequests : null), duration);
        var (rate, input, output) = (result.GetValue(_rate), result.GetValue(_input), result.GetValue(_output));
        return result.GetValue(_trace) is { } trace
            ? LoadPlan.OfTrace(RequestTrace.Read(trace), limits, rate, input, output)
            : LoadPlan.Poisson(limits, rate ?? 1, input ?? DefaultLength, output ?? DefaultLength, result.GetValue(_seed));
    }

    private ModelFile ModelOf(ParseResult result) =>
        ModelFile.ResolveAll([result.GetValue(_model)!], new ModelStore(result.GetValue(_data)!, AppContext.BaseDirectory))[0];
}
