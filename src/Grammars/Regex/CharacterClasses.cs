using System.Collections.Concurrent;
using System.Globalization;
using Serving.Grammars.Characters;

namespace Serving.Grammars.Regex;

/// <summary>The classes that regular expressions name, as ECMA 262 defines them.</summary>
internal static class CharacterClasses
{
    private static readonly ConcurrentDictionary<string, CodePointSet> _properties = [];

    /// <summary>The two-letter codes of general categories, in the order of <see cref="UnicodeCategory"/>.</summary>
    private static readonly string[] _categories =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn",
    ];

    public static CodePointSet Digit { get; } = CodePointSet.Of([('0', '9')]);

    public static CodePointSet Word { get; } = CodePointSet.Of([('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]);

    public static CodePointSet Space { get; } = CodePointSet.OfAny("\t\n\v\f\r \u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A\u2028\u2029\u202F\u205F\u3000\uFEFF");

    /// <summary>Every character but ends of lines.</summary>
    public static CodePointSet Dot { get; } = CodePointSet.OfAny("\n\r\u2028\u2029").Complement();

    /// <summary>A general category by its code of one or two letters; null: there is none.</summary>
    public static CodePointSet? Property(string name) =>
        name.Length > 0 && _categories.Any(category => category.StartsWith(name, StringComparison.Ordinal)) ? _properties.GetOrAdd(name, Find) : null;

    private static CodePointSet Find(string name)
    {
        var wanted = _categories.Select(category => category.StartsWith(name, StringComparison.Ordinal)).ToArray();
        var ranges = new List<(int, int)>();
        var first = -1;
        for (var codePoint = 0; codePoint <= CodePointSet.Last + 1; codePoint++)
        {
            var isIn = codePoint <= CodePointSet.Last && wanted[(int)CharUnicodeInfo.GetUnicodeCategory(codePoint)];
            if (isIn && first < 0)
            {
                first = codePoint;
            }
            else if (!isIn && first >= 0)
            {
                ranges.Add((first, codePoint - 1));
                first = -1;
            }
        }

        return CodePointSet.Of(ranges);
    }
}
