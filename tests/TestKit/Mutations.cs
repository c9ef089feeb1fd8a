using System.Text;

namespace Serving.TestKit;

/// <summary>Damages files in the ways in which they are damaged, by accident and on purpose. The same random gives the same damage.</summary>
public static class Mutations
{
    private static readonly string[] _hostileJson =
    [
        "0", "-1", "1", "2", "2147483647", "2147483648", "-2147483648", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551616", "16777215",
        "1e999", "-1e999", "1e-999", "0.5", "1e9", "1e308", "-0.0", "NaN", "null", "true", "false", "\"\"", "\"\\ud800\"", "\"\\u0000\"", "[]", "{}", "[[[[[[[[[[[[]]]]]]]]]]]]", "[1,2,3]",
        "{\"a\":{\"b\":1}}",
    ];

    /// <summary>Flips, overwrites and cuts bytes.</summary>
    /// <param name="headerBytes">The first bytes, which are most of what can go wrong: nine of ten changes fall there.</param>
    public static byte[] Bytes(byte[] original, int headerBytes, Random random)
    {
        var bytes = (byte[])original.Clone();
        for (int count = random.Next(1, 4); count > 0; count--)
        {
            int at = random.Next(random.Next(10) == 0 ? bytes.Length : Math.Min(headerBytes, bytes.Length));
            switch (random.Next(3))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = random.Next(2) == 0 ? (byte)0xFF : (byte)0;
                    break;
                default:
                    BitConverter.TryWriteBytes(bytes.AsSpan(at), 1L << random.Next(64));
                    break;
            }
        }

        return random.Next(8) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }

    /// <summary>Puts hostile values into JSON in the places of others, moves parts of it about, and sometimes damages bytes.</summary>
    public static byte[] Json(byte[] original, Random random)
    {
        if (random.Next(8) == 0)
        {
            return Bytes(original, original.Length, random);
        }

        string text = Encoding.UTF8.GetString(original);
        for (int count = random.Next(1, 4); count > 0 && text.Length > 0; count--)
        {
            text = random.Next(16) switch
            {
                0 => Remove(text, random),
                1 => Repeat(text, random),
                _ => ReplaceValue(text, random),
            };
        }

        return Encoding.UTF8.GetBytes(text);
    }

    /// <summary>Damages the directory of a safetensors file, its stated length or its bytes.</summary>
    public static byte[] Safetensors(byte[] original, Random random)
    {
        int directoryBytes = (int)BitConverter.ToInt64(original);
        if (random.Next(3) == 0)
        {
            return Bytes(original, 8 + directoryBytes, random);
        }

        byte[] directory = Json(original[8..(8 + directoryBytes)], random);
        return [.. BitConverter.GetBytes((long)directory.Length), .. directory, .. original.AsSpan(8 + directoryBytes)];
    }

    private static string ReplaceValue(string text, Random random)
    {
        int start = random.Next(text.Length);
        int separator = text.AsSpan(start).IndexOfAny(":,[");
        if (separator < 0)
        {
            return text;
        }

        start += separator + 1;
        int length = text.AsSpan(start).IndexOfAny(",]}");
        return length < 0 ? text : $"{text.AsSpan(0, start)}{_hostileJson[random.Next(_hostileJson.Length)]}{text.AsSpan(start + length)}";
    }

    private static string Remove(string text, Random random)
    {
        (int start, int length) = Part(text, random);
        return text.Remove(start, length);
    }

    private static string Repeat(string text, Random random)
    {
        (int start, int length) = Part(text, random);
        return text.Insert(random.Next(text.Length), text.Substring(start, length));
    }

    private static (int Start, int Length) Part(string text, Random random)
    {
        int start = random.Next(text.Length);
        return (start, random.Next(Math.Min(text.Length - start, 64)));
    }
}
