using ScottPlot;

namespace Serving.Cli.Bench;

/// <summary>A curve of a plot.</summary>
internal sealed record PlotCurve(string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y);

/// <summary>Draws curves into a PNG file. Works without a display; letters need a font of the system (Debian: fonts-dejavu-core).</summary>
internal static class BenchPlot
{
    private const int Width = 1000;
    private const int Height = 600;

    /// <param name="powersOfTwo">Whether the horizontal axis is logarithmic, its marks powers of two.</param>
    public static void Save(string file, string title, string xLabel, string yLabel, IEnumerable<PlotCurve> curves, bool powersOfTwo)
    {
        using var plot = new Plot();
        foreach (var curve in curves)
        {
            double[] x = [.. powersOfTwo ? curve.X.Select(Math.Log2) : curve.X];
            var drawn = plot.Add.Scatter(x, [.. curve.Y]);
            drawn.LegendText = curve.Name;
            drawn.LineWidth = 2;
            drawn.MarkerSize = curve.X.Count <= 20 ? 7 : 0;
        }

        if (powersOfTwo)
        {
            plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic
            {
                IntegerTicksOnly = true,
                LabelFormatter = position => FormattableString.Invariant($"{Math.Pow(2, position):0}"),
            };
        }

        plot.Title(title);
        plot.XLabel(xLabel);
        plot.YLabel(yLabel);
        plot.Axes.SetLimitsY(0, double.NaN);
        plot.Axes.AutoScaleX();
        plot.ShowLegend(Alignment.UpperLeft);
        try
        {
            plot.SavePng(file, Width, Height);
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException)
        {
            throw new BenchException($"--plot {file}: the drawing library cannot be loaded: {e.GetBaseException().Message}", e);
        }
    }
}
