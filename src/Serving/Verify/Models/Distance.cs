namespace Serving.Cli.Verify.Models;

/// <summary>How far one distribution over the vocabulary is from another, over many positions.</summary>
internal sealed class Distance
{
    private double _kl;
    private int _agreed;

    /// <summary>Positions compared.</summary>
    public int Positions { get; private set; }

    /// <summary>Mean Kullback–Leibler divergence over the full vocabulary, in nats.</summary>
    public double MeanKl => _kl / Positions;

    /// <summary>The share of positions where both have the same first choice.</summary>
    public double Top1Agreement => (double)_agreed / Positions;

    /// <summary>Log-probabilities of logits.</summary>
    public static double[] LogProbabilities(ReadOnlySpan<float> logits)
    {
        double highest = float.NegativeInfinity;
        foreach (var logit in logits)
        {
            highest = Math.Max(highest, logit);
        }

        double sum = 0;
        foreach (var logit in logits)
        {
            sum += Math.Exp(logit - highest);
        }

        var logSum = highest + Math.Log(sum);
        var logProbabilities = new double[logits.Length];
        for (var i = 0; i < logits.Length; i++)
        {
            logProbabilities[i] = logits[i] - logSum;
        }

        return logProbabilities;
    }

    /// <summary>The place of the highest, the first of several.</summary>
    public static int First(ReadOnlySpan<double> values)
    {
        var best = 0;
        for (var i = 1; i < values.Length; i++)
        {
            best = values[i] > values[best] ? i : best;
        }

        return best;
    }

    /// <summary>Adds a position.</summary>
    /// <param name="reference">Its log-probabilities.</param>
    /// <param name="other">The log-probabilities that are held against it.</param>
    public void Add(double[] reference, double[] other)
    {
        for (var i = 0; i < reference.Length; i++)
        {
            _kl += Math.Exp(reference[i]) * (reference[i] - other[i]);
        }

        _agreed += First(reference) == First(other) ? 1 : 0;
        Positions++;
    }

    public void Add(Distance other)
    {
        _kl += other._kl;
        _agreed += other._agreed;
        Positions += other.Positions;
    }
}
