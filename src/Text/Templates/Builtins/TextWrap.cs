using System.Text.RegularExpressions;
using Serving.Text.Templates.Rendering;
using Serving.Text.Templates.Values;

namespace Serving.Text.Templates.Builtins;

/// <summary>Fills lines as Python's <c>textwrap</c> does: words and the blanks between them are chunks, and blanks at a break go.</summary>
internal static partial class TextWrap
{
    public static void Wrap(
        MarkedString text, int width, bool breaksWords, bool breaksHyphens, MarkedString newline, MarkedTextBuilder builder, RenderContext context)
    {
        context.Budget.ChargeScan(text.Length);
        MatchCollection chunks = (breaksHyphens ? HyphenChunks() : Chunks()).Matches(text.Text);
        int lines = 0;
        int start = -1;
        int end = -1;
        void Flush()
        {
            MarkedString line = StringEditing.Strip(text.Slice(start, end - start), null, left: false, right: true);
            if (line.Length > 0)
            {
                builder.Append(lines++ > 0 ? newline : MarkedString.Empty).Append(line);
            }

            start = -1;
        }

        foreach (Match chunk in chunks)
        {
            int from = chunk.Index;
            int stop = chunk.Index + chunk.Length;
            bool isBlank = PythonText.IsSpace(text.Text[from]);
            if (start >= 0 && stop - start > width)
            {
                if (breaksWords && !isBlank && chunk.Length > width && width - (from - start) > 0)
                {
                    end = start + width;
                    from = end;
                }

                Flush();
            }

            while (breaksWords && !isBlank && start < 0 && stop - from > width)
            {
                (start, end) = (from, from + width);
                from = end;
                Flush();
            }

            if (from < stop && !(isBlank && start < 0 && lines > 0))
            {
                start = start < 0 ? from : start;
                end = stop;
            }
        }

        if (start >= 0)
        {
            Flush();
        }
    }

    [GeneratedRegex(@"\s+|\S+", RegexOptions.CultureInvariant)]
    private static partial Regex Chunks();

    [GeneratedRegex(@"\s+|[^\s\w]*\w+[^0-9\W]-(?=\w+[^0-9\W])|\S+?(?=\s|$|(?<=[^0-9\W]{2})-(?=[^0-9\W]{2}))-?|\S+", RegexOptions.CultureInvariant)]
    private static partial Regex HyphenChunks();
}
