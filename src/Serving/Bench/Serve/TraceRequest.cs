namespace Serving.Cli.Bench.Serve;

/// <summary>A request of a trace or a made-up load: when it comes and how long it is.</summary>
/// <param name="ArrivalSeconds">After the first one.</param>
/// <param name="InputTokens">Tokens of the prompt, about.</param>
/// <param name="OutputTokens">Most tokens of the answer.</param>
internal readonly record struct TraceRequest(double ArrivalSeconds, int InputTokens, int OutputTokens);
