namespace Serving.Engine.Scheduling;

/// <summary>
/// Learns from the steps what a prompt token of a chunk and a decode row cost, each as a mean that forgets exponentially. Sums are kept, not means, so
/// that a chunk counts by its tokens: a short one, which pays for a whole pass over the weights, says little of what a long one costs.
/// </summary>
internal sealed class StepCostModel
{
    private const double Decay = 0.8;

    private double _chunkSeconds;
    private double _chunkTokens;
    private double _decodeSeconds;
    private double _decodeRows;

    /// <summary>Takes in how long a step took.</summary>
    /// <param name="chunkTokens">Its rows in chunks of several tokens.</param>
    /// <param name="decodeRows">Its sequences with one row.</param>
    public void Observe(int chunkTokens, int decodeRows, double seconds)
    {
        if (chunkTokens == 0)
        {
            Learn(ref _decodeSeconds, ref _decodeRows, seconds, decodeRows);
        }
        else
        {
            Learn(ref _chunkSeconds, ref _chunkTokens, Math.Max(0, seconds - DecodeSeconds(decodeRows)), chunkTokens);
        }
    }

    /// <summary>Most prompt tokens beside so many decode rows for a step to take no longer than that; without experience: no limit.</summary>
    public int ChunkTokensWithin(double seconds, int decodeRows)
    {
        if (_chunkTokens == 0 || _chunkSeconds == 0)
        {
            return int.MaxValue;
        }

        var left = Math.Max(0, seconds - DecodeSeconds(decodeRows));
        return (int)Math.Min(int.MaxValue, left * _chunkTokens / _chunkSeconds);
    }

    private double DecodeSeconds(int rows) => _decodeRows == 0 ? 0 : rows * _decodeSeconds / _decodeRows;

    private static void Learn(ref double seconds, ref double units, double newSeconds, int newUnits)
    {
        seconds = (Decay * seconds) + newSeconds;
        units = (Decay * units) + newUnits;
    }
}
