namespace Serving.Cli.Verify;

/// <param name="Row">Its place among the rows, from 0.</param>
internal sealed record Miss(int Row, string? Name, Comparison Comparison);

/// <summary>How many rows came out as recorded, and which did not.</summary>
internal sealed class VerifyReport
{
    private readonly OrderedDictionary<string, (int Passed, int Rows)> _columns = [];
    private readonly List<Miss> _misses = [];

    private VerifyReport()
    {
    }

    public int Rows { get; private set; }

    /// <summary>Rows with a miss.</summary>
    public int Failed { get; private set; }

    /// <summary>Misses in all columns of all rows; <see cref="Misses"/> holds the first of them.</summary>
    public int MissCount { get; private set; }

    public IReadOnlyList<Miss> Misses => _misses;

    public IReadOnlyDictionary<string, (int Passed, int Rows)> Columns => _columns;

    /// <param name="missesMax">How many misses to keep.</param>
    public static VerifyReport Of(IEnumerable<VerifiedRow> rows, int missesMax)
    {
        var report = new VerifyReport();
        foreach (var row in rows)
        {
            report.Add(row, missesMax);
        }

        return report;
    }

    private void Add(VerifiedRow row, int missesMax)
    {
        foreach (var comparison in row.Comparisons)
        {
            var (passed, rows) = _columns.GetValueOrDefault(comparison.Column);
            _columns[comparison.Column] = (passed + (comparison.Passed ? 1 : 0), rows + 1);
            if (!comparison.Passed)
            {
                MissCount++;
                if (_misses.Count < missesMax)
                {
                    _misses.Add(new Miss(Rows, row.Name, comparison));
                }
            }
        }

        Failed += row.Comparisons.All(comparison => comparison.Passed) ? 0 : 1;
        Rows++;
    }
}
