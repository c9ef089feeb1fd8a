using System.Globalization;
using System.Text.RegularExpressions;

namespace Serving.Cli.Machine;

/// <summary>Amounts of memory as people write them: <c>4GiB</c>, <c>512 MiB</c>, <c>1.5g</c>, <c>1000000</c>.</summary>
internal static partial class ByteSize
{
    /// <summary>KB, MB, GB and TB are powers of 1,000; KiB to TiB and the bare letters k, m, g, t powers of 1,024.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        var match = Form().Match(text);
        if (!match.Success)
        {
            return false;
        }

        var unit = match.Groups["unit"].Value.ToUpperInvariant();
        var power = unit.Length == 0 || unit == "B" ? 0 : " KMGT".IndexOf(unit[0], StringComparison.Ordinal);
        var scale = Math.Pow(unit.EndsWith('B') && !unit.EndsWith("IB", StringComparison.Ordinal) ? 1000 : 1024, power);
        var value = double.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture) * scale;
        if (!(value < long.MaxValue))
        {
            return false;
        }

        bytes = (long)value;
        return true;
    }

    public static string Format(long bytes) => bytes switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.#} GiB"),
        >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.#} MiB"),
        >= 10L << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 10):0.#} KiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes"),
    };

    [GeneratedRegex(@"^\s*(?<number>\d{1,15}(\.\d{1,6})?)\s*(?<unit>([kmgt](i?b)?|b)?)\s*$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
