using System.Globalization;

namespace Serving.Served.Bench.Soak;

/// <summary>A request of the conversation trace (Traces/README.md).</summary>
internal sealed record TraceRequest(TimeSpan Arrival, int PromptTokens, int AnswerTokens)
{
    // What the trace's models answered with a context of 8K and more is asked of a small model with a quarter of the tokens, so that a machine of few cores sees as many requests.
    private const int LengthDivisor = 4;

    public static IReadOnlyList<TraceRequest> ReadAll()
    {
        List<TraceRequest> requests = [];
        foreach (string line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Traces", "azure-conversation-2023.csv")).Skip(1))
        {
            int[] numbers = [.. line.Split(',').Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
            requests.Add(new TraceRequest(
                TimeSpan.FromMilliseconds(numbers[0]), Math.Max(1, numbers[1] / LengthDivisor), Math.Max(1, numbers[2] / LengthDivisor)));
        }

        return requests;
    }
}
