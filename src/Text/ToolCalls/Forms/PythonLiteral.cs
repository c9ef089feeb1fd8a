using System.Globalization;
using System.Numerics;
using System.Text;
using Serving.Text.ToolCalls.Parsing;

namespace Serving.Text.ToolCalls.Forms;

/// <summary>Copies a Python literal as JSON into a call's arguments, as it comes.</summary>
internal sealed class PythonLiteral(AnswerReader input, AnswerWriter output)
{
    private const int DepthMax = 64;

    /// <returns>False where there is no literal that JSON has too; what was taken of it is in the arguments as it was.</returns>
    public ParseTask<bool> CopyAsync() => CopyAsync(depth: 0);

    private async ParseTask<bool> CopyAsync(int depth)
    {
        int symbol = await input.PeekAsync();
        switch (symbol)
        {
            case '"' or '\'':
                return await CopyStringAsync();
            case '[' or '(' when depth < DepthMax:
                return await CopyListAsync(symbol == '[' ? ']' : ')', depth);
            case '{' when depth < DepthMax:
                return await CopyDictAsync(depth);
            default:
                return await CopyWordAsync();
        }
    }

    private async ParseTask<bool> CopyListAsync(char end, int depth)
    {
        input.Take();
        output.Arguments("[");
        await input.SkipSpaceAsync();
        for (bool isFirst = true; !await input.TakeAsync(end); isFirst = false)
        {
            if (!isFirst)
            {
                if (!await input.TakeAsync(','))
                {
                    return false;
                }

                await input.SkipSpaceAsync();
                if (await input.TakeAsync(end))
                {
                    break;
                }

                output.Arguments(", ");
            }

            if (!await CopyAsync(depth + 1))
            {
                return false;
            }

            await input.SkipSpaceAsync();
        }

        output.Arguments("]");
        return true;
    }

    private async ParseTask<bool> CopyDictAsync(int depth)
    {
        input.Take();
        output.Arguments("{");
        await input.SkipSpaceAsync();
        for (bool isFirst = true; !await input.TakeAsync('}'); isFirst = false)
        {
            if (!isFirst)
            {
                if (!await input.TakeAsync(','))
                {
                    return false;
                }

                await input.SkipSpaceAsync();
                if (await input.TakeAsync('}'))
                {
                    break;
                }

                output.Arguments(", ");
            }

            if (await input.PeekAsync() is not ('"' or '\'') || !await CopyStringAsync())
            {
                return false;
            }

            await input.SkipSpaceAsync();
            if (!await input.TakeAsync(':'))
            {
                return false;
            }

            output.Arguments(": ");
            await input.SkipSpaceAsync();
            if (!await CopyAsync(depth + 1))
            {
                return false;
            }

            await input.SkipSpaceAsync();
        }

        output.Arguments("}");
        return true;
    }

    /// <summary>A number, or one of Python's or JSON's words.</summary>
    private async ParseTask<bool> CopyWordAsync()
    {
        StringBuilder word = new();
        for (int symbol = await input.PeekAsync(); IsWordPart(symbol); symbol = await input.PeekAsync())
        {
            word.Append((char)symbol);
            input.Take();
        }

        string text = word.ToString();
        string? json = text switch
        {
            "True" or "true" => "true",
            "False" or "false" => "false",
            "None" or "null" => "null",
            _ => Number(text),
        };
        output.Arguments(json ?? text);
        return json is not null;
    }

    private static bool IsWordPart(int symbol) =>
        symbol is >= 0 and < AnswerReader.FirstMarker && (char.IsAsciiLetterOrDigit((char)symbol) || symbol is '_' or '.' or '+' or '-');

    /// <summary>The number as JSON writes it; null where it is none, or more than a double holds.</summary>
    private static string? Number(string text)
    {
        string digits = text.Replace("_", "", StringComparison.Ordinal);
        if (BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger integer))
        {
            return integer.ToString(CultureInfo.InvariantCulture);
        }

        if (!double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) || !double.IsFinite(number) || !digits.Any(char.IsAsciiDigit))
        {
            return null;
        }

        // As it was written, where JSON allows it: 0.10 stays 0.10.
        bool isJson = char.IsAsciiDigit(digits[^1]) && char.IsAsciiDigit(digits.TrimStart('-')[0]) && !(digits.TrimStart('-') is ['0', >= '0' and <= '9', ..]);
        return isJson ? digits : number.ToString("R", CultureInfo.InvariantCulture);
    }

    private async ParseTask<bool> CopyStringAsync()
    {
        int quote = await input.PeekAsync();
        input.Take();
        output.Arguments("\"");
        bool isTriple = false;
        if (await input.TakeAsync(quote))
        {
            isTriple = await input.TakeAsync(quote);
            if (!isTriple)
            {
                output.Arguments("\"");
                return true;
            }
        }

        while (true)
        {
            int symbol = await input.PeekAsync();
            if (symbol == AnswerReader.End)
            {
                return false;
            }

            input.Take();
            if (symbol == '\\')
            {
                await CopyEscapeAsync();
            }
            else if (symbol != quote)
            {
                WriteEscaped(input.TextOf(symbol));
            }
            else if (!isTriple || await EndsTripleAsync(quote))
            {
                output.Arguments("\"");
                return true;
            }
        }
    }

    /// <summary>After one quote of a string with three: whether two more follow. Those that are no end are text.</summary>
    private async ParseTask<bool> EndsTripleAsync(int quote)
    {
        int quotes = 1;
        while (quotes < 3 && await input.TakeAsync(quote))
        {
            quotes++;
        }

        if (quotes < 3)
        {
            WriteEscaped(new string((char)quote, quotes));
        }

        return quotes == 3;
    }

    /// <summary>What follows a backslash, by Python's table of escapes; one that Python does not know is text, its backslash too.</summary>
    private async ParseTask<bool> CopyEscapeAsync()
    {
        int symbol = await input.PeekAsync();
        if (symbol == AnswerReader.End)
        {
            WriteEscaped("\\");
            return true;
        }

        if (symbol is >= '0' and <= '7')
        {
            WriteCode(await TakeDigitsAsync(3, @base: 8), @base: 8, "");
            return true;
        }

        input.Take();
        switch (symbol)
        {
            case '\n':
                break;
            case 'n' or 't' or 'r' or 'a' or 'b' or 'f' or 'v':
                WriteEscaped("\n\t\r\a\b\f\v".AsSpan("ntrabfv".IndexOf((char)symbol), 1));
                break;
            case 'x' or 'u' or 'U':
                int count = symbol == 'x' ? 2 : symbol == 'u' ? 4 : 8;
                string digits = await TakeDigitsAsync(count, @base: 16);
                WriteCode(digits.Length == count ? digits : "", @base: 16, $"\\{(char)symbol}{digits}");
                break;
            case '\\' or '\'' or '"':
                WriteEscaped(input.TextOf(symbol));
                break;
            default:
                WriteEscaped("\\");
                WriteEscaped(input.TextOf(symbol));
                break;
        }

        return true;
    }

    private async ParseTask<string> TakeDigitsAsync(int most, int @base)
    {
        StringBuilder digits = new();
        while (digits.Length < most && IsDigit(await input.PeekAsync(), @base))
        {
            digits.Append(input.TextOf(await input.PeekAsync()));
            input.Take();
        }

        return digits.ToString();
    }

    private static bool IsDigit(int symbol, int @base) =>
        symbol is >= 0 and < AnswerReader.FirstMarker && (@base == 8 ? symbol is >= '0' and <= '7' : char.IsAsciiHexDigit((char)symbol));

    /// <param name="otherwise">What to write where the digits name no code point.</param>
    private void WriteCode(string digits, int @base, string otherwise)
    {
        uint code = digits.Length == 0 ? uint.MaxValue : Convert.ToUInt32(digits, @base);
        if (code is >= 0xD800 and <= 0xDFFF)
        {
            // Half of a surrogate pair is no text by itself; JSON writes it as Python does.
            output.Arguments($"\\u{code:x4}");
        }
        else
        {
            WriteEscaped(Rune.TryCreate(code, out Rune rune) ? rune.ToString() : otherwise);
        }
    }

    private void WriteEscaped(ReadOnlySpan<char> text)
    {
        foreach (char unit in text)
        {
            switch (unit)
            {
                case '"' or '\\':
                    output.Arguments(['\\', unit]);
                    break;
                case < ' ':
                    output.Arguments($"\\u{(int)unit:x4}");
                    break;
                default:
                    output.Arguments([unit]);
                    break;
            }
        }
    }
}
