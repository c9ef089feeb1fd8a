namespace Serving.Cli.Bench;

/// <summary>So many tokens in so much time.</summary>
internal readonly record struct Throughput(long Tokens, double Seconds)
{
    public double TokensPerSecond => Tokens / Seconds;

    public static Throughput operator +(Throughput a, Throughput b) => new(a.Tokens + b.Tokens, a.Seconds + b.Seconds);
}
