namespace Serving.Served.Bench;

internal static class Report
{
    public static void Print(IReadOnlyList<RoundResult> results)
    {
        Console.WriteLine();
        Console.WriteLine($"processor: {Processor()}, {Environment.ProcessorCount} cores; medians of {results.Count} rounds");
        Line("ready after", results, result => result.ReadySeconds, "s");
        Line("TTFT, first request", results, result => result.FirstTokenMs[0], "ms");
        Line("TTFT, tenth request", results, result => result.FirstTokenMs[^1], "ms");
        Line("first / tenth", results, result => result.FirstOverTenth, "(at most 1.2)");
        Line("decode, 1 stream", results, result => result.OneStream, "tok/s");
        Line("decode, 8 streams", results, result => result.EightStreams, "tok/s");
    }

    private static void Line(string name, IReadOnlyList<RoundResult> results, Func<RoundResult, double> value, string unit)
    {
        double[] sorted = [.. results.Select(value).Order()];
        Console.WriteLine($"{name,-22} {sorted[sorted.Length / 2],8:F2} {unit}   (from {sorted[0]:F2} to {sorted[^1]:F2})");
    }

    public static string Processor()
    {
        const string Info = "/proc/cpuinfo";
        string? line = File.Exists(Info) ? File.ReadLines(Info).FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?.Split(':')[1].Trim() ?? "unknown";
    }
}
