using System.Globalization;
using System.Text;

namespace Serving.Text.Templates.Syntax;

/// <summary>The backslash escapes of a Python string literal. An unknown one stands for itself, backslash included.</summary>
internal static class StringEscape
{
    /// <summary>Reads the escape whose backslash is just before <paramref name="position"/>.</summary>
    public static void Read(string source, ref int position, StringBuilder value)
    {
        char kind = source[position++];
        switch (kind)
        {
            case '\n':
                break;
            case '\\' or '\'' or '"':
                value.Append(kind);
                break;
            case 'a' or 'b' or 'f' or 'n' or 'r' or 't' or 'v':
                value.Append("\a\b\f\n\r\t\v"["abfnrtv".IndexOf(kind, StringComparison.Ordinal)]);
                break;
            case >= '0' and <= '7':
                ReadOctal(source, ref position, kind - '0', value);
                break;
            case 'x':
                ReadHex(source, ref position, 2, value);
                break;
            case 'u':
                ReadHex(source, ref position, 4, value);
                break;
            case 'U':
                ReadHex(source, ref position, 8, value);
                break;
            case 'N':
                throw new SyntaxException("\\N{...} escapes are not supported: write the character, or \\u and its number", position - 2);
            default:
                value.Append('\\').Append(kind);
                break;
        }
    }

    private static void ReadOctal(string source, ref int position, int number, StringBuilder value)
    {
        for (int i = 0; i < 2 && position < source.Length && source[position] is >= '0' and <= '7'; i++)
        {
            number = (number * 8) + (source[position++] - '0');
        }

        value.Append((char)number);
    }

    private static void ReadHex(string source, ref int position, int digits, StringBuilder value)
    {
        if (position + digits > source.Length
            || !int.TryParse(source.AsSpan(position, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int number)
            || number is < 0 or > 0x10FFFF)
        {
            throw new SyntaxException($"truncated \\{source[position - 1]} escape: {digits} hexadecimal digits belong here", position - 2);
        }

        value.Append(number <= 0xFFFF ? ((char)number).ToString() : char.ConvertFromUtf32(number));
        position += digits;
    }
}
