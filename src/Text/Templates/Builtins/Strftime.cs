using System.Globalization;
using System.Text;

namespace Serving.Text.Templates.Builtins;

/// <summary>C's <c>strftime</c> in the C locale, with glibc's <c>-</c> and <c>_</c> flags; an unknown directive stays as it is.</summary>
internal static class Strftime
{
    public static string Format(DateTimeOffset time, string format)
    {
        var text = new StringBuilder();
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }

            char flag = i + 2 < format.Length && format[i + 1] is '-' or '_' or '0' ? format[++i] : '\0';
            char directive = format[++i];
            string? value = Directive(time, directive);
            text.Append(value is null ? $"%{(flag == '\0' ? "" : flag)}{directive}" : Flagged(value, flag));
        }

        return text.ToString();
    }

    private static string Flagged(string value, char flag)
    {
        string stripped = value.Length > 1 ? value.TrimStart('0', ' ') : value;
        stripped = stripped.Length == 0 ? "0" : stripped;
        return flag switch
        {
            '-' => stripped,
            '_' => stripped.PadLeft(value.Length),
            '0' => stripped.PadLeft(value.Length, '0'),
            _ => value,
        };
    }

    private static string? Directive(DateTimeOffset time, char directive) => directive switch
    {
        'Y' => In(time, "yyyy"),
        'y' => In(time, "yy"),
        'm' => In(time, "MM"),
        'd' => In(time, "dd"),
        'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'B' => In(time, "MMMM"),
        'b' or 'h' => In(time, "MMM"),
        'A' => In(time, "dddd"),
        'a' => In(time, "ddd"),
        'H' => In(time, "HH"),
        'I' => In(time, "hh"),
        'M' => In(time, "mm"),
        'S' => In(time, "ss"),
        'f' => In(time, "ffffff"),
        'p' => In(time, "tt"),
        'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
        'w' => ((int)time.DayOfWeek).ToString(CultureInfo.InvariantCulture),
        'u' => (time.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)time.DayOfWeek).ToString(CultureInfo.InvariantCulture),
        'U' => Week(time, DayOfWeek.Sunday),
        'W' => Week(time, DayOfWeek.Monday),
        'V' => ISOWeek.GetWeekOfYear(time.DateTime).ToString("00", CultureInfo.InvariantCulture),
        'G' => ISOWeek.GetYear(time.DateTime).ToString(CultureInfo.InvariantCulture),
        'C' => (time.Year / 100).ToString("00", CultureInfo.InvariantCulture),
        's' => time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
        'F' => In(time, "yyyy-MM-dd"),
        'T' or 'X' => In(time, "HH:mm:ss"),
        'R' => In(time, "HH:mm"),
        'D' or 'x' => In(time, "MM/dd/yy"),
        'r' => In(time, "hh:mm:ss tt"),
        'c' => In(time, "ddd MMM ") + Directive(time, 'e') + In(time, " HH:mm:ss yyyy"),
        'n' => "\n",
        't' => "\t",
        'z' or 'Z' => "", // Python's datetime.now() knows no zone.
        '%' => "%",
        _ => null,
    };

    private static string In(DateTimeOffset time, string format) => time.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>Weeks of the year that begin on a given day; days before the first are in week 0.</summary>
    private static string Week(DateTimeOffset time, DayOfWeek first)
    {
        int sinceFirst = ((int)time.DayOfWeek - (int)first + 7) % 7;
        return ((time.DayOfYear + 6 - sinceFirst) / 7).ToString("00", CultureInfo.InvariantCulture);
    }
}
