namespace Serving.Cli.Commands;

/// <summary>Makes a line of what went wrong. A broken file's own words may be in it: they must not break the line or move the cursor.</summary>
internal static class ErrorLine
{
    public static string Of(string message) => string.Concat(message.Select(c => char.IsControl(c) ? ' ' : c));
}
