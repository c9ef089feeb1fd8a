using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;

namespace Serving.Text.Tokenization.Normalizers;

/// <summary>
/// Combining classes and decompositions, read at first use from the table that <c>eng/make-unicode-normalization.py</c> writes.
/// </summary>
internal static class UnicodeData
{
    private static readonly Dictionary<int, int> _combiningClasses = [];
    private static readonly Dictionary<int, int[]> _canonical = [];
    private static readonly Dictionary<int, int[]> _compatibility = [];
    private static readonly Dictionary<(int First, int Second), int> _compositions = [];

    /// <summary>Characters that can join the one before them.</summary>
    private static readonly HashSet<int> _secondParts = [];

    /// <summary>Characters whose decomposition composition does not restore.</summary>
    private static readonly HashSet<int> _excluded = [];

    static UnicodeData()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("unicode-normalization.txt")!;
        using StreamReader reader = new(stream);
        while (reader.ReadLine() is string line)
        {
            if (!line.StartsWith('#'))
            {
                Read(line.Split(' '));
            }
        }

        // Hangul vowels and tails join arithmetically.
        for (int c = 0x1161; c < 0x11C3; c++)
        {
            _secondParts.Add(c);
        }
    }

    public static int CombiningClass(int character) => character < 0x300 ? 0 : _combiningClasses.GetValueOrDefault(character);

    /// <summary>One step; the parts may decompose further.</summary>
    public static bool TryDecompose(int character, bool compatibility, [NotNullWhen(true)] out int[]? parts)
    {
        parts = null;
        return character >= 0x80
            && (_canonical.TryGetValue(character, out parts) || (compatibility && _compatibility.TryGetValue(character, out parts)));
    }

    public static bool TryCompose(int first, int second, out int composed) => _compositions.TryGetValue((first, second), out composed);

    /// <summary>Whether a text with this character could change under the form.</summary>
    public static bool IsAffected(char character, bool compose, bool compatibility)
    {
        if (_combiningClasses.ContainsKey(character) || (compatibility && (_compatibility.ContainsKey(character) || _canonical.ContainsKey(character))))
        {
            return true;
        }

        return compose
            ? _excluded.Contains(character) || _secondParts.Contains(character)
            : _canonical.ContainsKey(character) || character is >= '\uAC00' and <= '\uD7A3';
    }

    private static void Read(string[] fields)
    {
        int character = ParseHex(fields[0]);
        int combiningClass = int.Parse(fields[1], CultureInfo.InvariantCulture);
        if (combiningClass != 0)
        {
            _combiningClasses.Add(character, combiningClass);
        }

        if (fields.Length < 3)
        {
            return;
        }

        char kind = fields[2][0];
        fields[2] = fields[2][1..];
        int[] parts = [.. fields[2..].Select(ParseHex)];
        (kind == '~' ? _compatibility : _canonical).Add(character, parts);
        if (kind == '!')
        {
            _excluded.Add(character);
        }
        else if (kind == '=')
        {
            _compositions.Add((parts[0], parts[1]), character);
            _secondParts.Add(parts[1]);
        }
    }

    private static int ParseHex(string text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
