namespace Serving.Cli.Output;

/// <summary>Makes one line of a text from elsewhere: a broken file's or a server's own words must not break the line or move the cursor.</summary>
internal static class PrintableLine
{
    public static string Of(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
