using System.Globalization;
using System.Text.Json;

namespace Serving.Cli.Bench.Serve;

/// <summary>
/// Reads recorded arrivals and lengths: Azure's LLM inference traces (CSV: <c>TIMESTAMP,ContextTokens,GeneratedTokens</c>) and Mooncake's (JSON lines: <c>timestamp</c> in milliseconds,
/// <c>input_length</c>, <c>output_length</c>).
/// </summary>
internal static class RequestTrace
{
    private const string AzureHeader = "TIMESTAMP,ContextTokens,GeneratedTokens";

    /// <returns>At least one request, by arrival, the first at 0.</returns>
    /// <exception cref="BenchException">It is no such file; the message names the line.</exception>
    public static IReadOnlyList<TraceRequest> Read(string path)
    {
        using var reader = File.OpenText(path);
        return Read(reader, path);
    }

    internal static IReadOnlyList<TraceRequest> Read(TextReader reader, string path)
    {
        List<(double Seconds, int Input, int Output)> requests = [];
        var isAzure = false;
        for (var number = 1; reader.ReadLine() is { } line; number++)
        {
            if (number == 1 && line == AzureHeader)
            {
                isAzure = true;
            }
            else if (line.Length > 0)
            {
                var request = isAzure ? ParseAzure(line) : ParseMooncake(line);
                requests.Add(request ?? throw new BenchException(
                    $"{path}, line {number} is no request: expected Azure's {AzureHeader} or Mooncake's JSON with timestamp, input_length and output_length."));
            }
        }

        if (requests.Count == 0)
        {
            throw new BenchException($"{path} holds no request.");
        }

        requests.Sort((a, b) => a.Seconds.CompareTo(b.Seconds));
        return [.. requests.Select(request => new TraceRequest(request.Seconds - requests[0].Seconds, request.Input, request.Output))];
    }

    private static (double, int, int)? ParseAzure(string line) =>
        line.Split(',') is [var time, var input, var output]
        && DateTime.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var arrival)
        && TryParseLength(input, out var inputTokens)
        && TryParseLength(output, out var outputTokens)
            ? (arrival.Ticks / (double)TimeSpan.TicksPerSecond, inputTokens, outputTokens)
            : null;

    private static (double, int, int)? ParseMooncake(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("timestamp", out var time) && time.TryGetDouble(out var milliseconds) && milliseconds >= 0
                && root.TryGetProperty("input_length", out var input) && input.TryGetInt32(out var inputTokens) && inputTokens >= 0
                && root.TryGetProperty("output_length", out var output) && output.TryGetInt32(out var outputTokens) && outputTokens >= 0
                    ? (milliseconds / 1000, inputTokens, outputTokens)
                    : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static bool TryParseLength(string text, out int length) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out length);
}
