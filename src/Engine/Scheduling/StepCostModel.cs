namespace Serving.Engine.Scheduling;

/// <summary>
/// Learns from the steps what a prompt token of a chunk and a decode row cost, each as a mean that forgets exponentially. Sums are kept, not means, so
/// that a chunk counts by its tokens: a short one, which pays for a whole pass over the weights, says little of what a long one costs.
/// </summary>
internal sealed class StepCostModel
{
    private const double Decay = 0.8;
    private const double LineDecay = 0.98;

    // Until steps of different sizes have been seen: reading the weights takes as long as so many rows.
    private const double FixedRowsAssumed = 4;
    private const double VarianceMin = 0.05;
    private const double RowCostMin = 0.02;

    private double _chunkSeconds;
    private double _chunkTokens;
    private double _decodeSeconds;
    private double _decodeRows;

    // Of decode steps, for the line of least squares through them: weights, rows, seconds, rows² and rows · seconds.
    private double _count;
    private double _rows;
    private double _seconds;
    private double _rowsRows;
    private double _rowsSeconds;

    /// <summary>Takes in how long a step took.</summary>
    /// <param name="chunkTokens">Its rows in chunks of several tokens.</param>
    /// <param name="decodeRows">Its sequences with one row.</param>
    public void Observe(int chunkTokens, int decodeRows, double seconds)
    {
        if (chunkTokens == 0)
        {
            Learn(ref _decodeSeconds, ref _decodeRows, seconds, decodeRows);
            LearnLine(decodeRows, seconds);
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

    /// <summary>What one more row costs a step of so many decode rows, as a share of the step's time for each: near 0 where reading the weights takes all the time, 1 where the rows do.</summary>
    public double RowCost(int decodeRows)
    {
        var variance = (_count * _rowsRows) - (_rows * _rows);
        if (_count == 0 || variance < VarianceMin * _count * _count)
        {
            return decodeRows / (decodeRows + FixedRowsAssumed);
        }

        var secondsPerRow = ((_count * _rowsSeconds) - (_rows * _seconds)) / variance;
        var fixedSeconds = (_seconds - (secondsPerRow * _rows)) / _count;
        var step = fixedSeconds + (secondsPerRow * decodeRows);
        return step <= 0 ? 1 : Math.Clamp(secondsPerRow * decodeRows / step, RowCostMin, 1);
    }

    private void LearnLine(double rows, double seconds)
    {
        _count = (LineDecay * _count) + 1;
        _rows = (LineDecay * _rows) + rows;
        _seconds = (LineDecay * _seconds) + seconds;
        _rowsRows = (LineDecay * _rowsRows) + (rows * rows);
        _rowsSeconds = (LineDecay * _rowsSeconds) + (rows * seconds);
    }

    private double DecodeSeconds(int rows) => _decodeRows == 0 ? 0 : rows * _decodeSeconds / _decodeRows;

    private static void Learn(ref double seconds, ref double units, double newSeconds, int newUnits)
    {
        seconds = (Decay * seconds) + newSeconds;
        units = (Decay * units) + newUnits;
    }
}
