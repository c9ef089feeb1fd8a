namespace Serving.Served.Bench;

/// <summary>What one fresh platform showed.</summary>
/// <param name="ReadySeconds">From the start of the process to the first 200 of /ready.</param>
/// <param name="FirstTokenMs">TTFT of the first ten requests after that, in order.</param>
/// <param name="OneStream">Tokens per second of one stream after its first token.</param>
/// <param name="EightStreams">Tokens per second of eight streams together, from the last one's first token to the first one's end.</param>
internal sealed record RoundResult(double ReadySeconds, double[] FirstTokenMs, double OneStream, double EightStreams)
{
    public double FirstOverTenth => FirstTokenMs[0] / FirstTokenMs[^1];

    public override string ToString() =>
        $"ready after {ReadySeconds:F1} s; TTFT {string.Join(' ', FirstTokenMs.Select(ms => ms.ToString("F0")))} ms; "
        + $"1 stream {OneStream:F1} tok/s; 8 streams {EightStreams:F1} tok/s";
}
