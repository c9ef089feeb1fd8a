namespace Serving.Cli.Bench;

/// <summary>What the counted steps of a run come to.</summary>
/// <param name="Rows">Tokens that they computed.</param>
/// <param name="LogitRows">Rows whose logits were computed.</param>
/// <param name="AllocatedBytes">What their thread allocated.</param>
internal readonly record struct StepSum(long Steps, long Rows, long LogitRows, double Seconds, long AllocatedBytes)
{
    public double TokensPerSecond => Rows / Seconds;

    public static StepSum operator +(StepSum a, StepSum b) =>
        new(a.Steps + b.Steps, a.Rows + b.Rows, a.LogitRows + b.LogitRows, a.Seconds + b.Seconds, a.AllocatedBytes + b.AllocatedBytes);
}
