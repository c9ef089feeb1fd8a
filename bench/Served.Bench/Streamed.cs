namespace Serving.Served.Bench;

/// <summary>One streamed answer, on the clock of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
/// <param name="Begin">When it was asked for.</param>
/// <param name="TokenTimes">When each token came.</param>
internal sealed record Streamed(long Begin, List<long> TokenTimes);
