using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Serving.Grammars.Characters;
using Serving.Grammars.Expressions;

namespace Serving.Grammars.Json;

/// <summary>How values are written in JSON.</summary>
internal static class JsonText
{
    private static readonly JsonSerializerOptions _relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Characters that stand for themselves in a string.</summary>
    private static readonly CodePointSet _plain = CodePointSet.Of([(0x20, 0x21), (0x23, 0x5B), (0x5D, CodePointSet.Last)]);

    private static readonly (int CodePoint, char Escape)[] _escapes = [('"', '"'), ('\\', '\\'), ('\b', 'b'), ('\f', 'f'), ('\n', 'n'), ('\r', 'r'), ('\t', 't')];

    /// <summary>One character of a string, in every way that it can be written; an escape is a whole character.</summary>
    public static Expression FreeCharacter { get; } = Expression.Any(
        new Expression.Characters(_plain),
        Expression.All(Expression.Literal("\\"), Expression.Any(new Expression.Characters(CodePointSet.OfAny("\"\\/bfnrt")), UnicodeEscape())));

    /// <summary>One character of a set, in the one way that is shortest: as itself where it may be.</summary>
    public static Expression Characters(CodePointSet set)
    {
        var ways = new List<Expression> { new Expression.Characters(set.Intersect(_plain)) };
        foreach (var (codePoint, escape) in _escapes)
        {
            if (set.Contains(codePoint))
            {
                ways.Add(Expression.Literal($"\\{escape}"));
            }
        }

        for (var control = 0; control < 0x20; control++)
        {
            if (set.Contains(control) && _escapes.All(escape => escape.CodePoint != control))
            {
                ways.Add(Expression.Literal($"\\u{control.ToString("x4", CultureInfo.InvariantCulture)}"));
            }
        }

        return Expression.Any(ways);
    }

    /// <summary>Any character in its shortest form.</summary>
    public static Expression AnyCharacter { get; } = Characters(CodePointSet.All);

    /// <summary>A string's content between its quotes, in the form of <see cref="Characters"/>.</summary>
    public static string Content(string text)
    {
        var content = new System.Text.StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var escape = Array.FindIndex(_escapes, escape => escape.CodePoint == rune.Value);
            _ = escape >= 0 ? content.Append('\\').Append(_escapes[escape].Escape)
                : rune.Value < 0x20 ? content.Append("\\u").Append(rune.Value.ToString("x4", CultureInfo.InvariantCulture))
                : content.Append(rune.ToString());
        }

        return content.ToString();
    }

    public static string Quoted(string text) => $"\"{Content(text)}\"";

    /// <summary>A value, compact.</summary>
    public static string Write(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => Quoted(value.GetString()!),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null => value.GetRawText(),
        JsonValueKind.Array => $"[{string.Join(',', value.EnumerateArray().Select(Write))}]",
        _ => $"{{{string.Join(',', value.EnumerateObject().Select(member => $"{Quoted(member.Name)}:{Write(member.Value)}"))}}}",
    };

    /// <summary>What a client reads in a message: short.</summary>
    public static string Shown(JsonElement value)
    {
        var text = JsonSerializer.Serialize(value, _relaxed);
        return text.Length <= 60 ? text : $"{text[..60]}…";
    }

    /// <summary>uXXXX for a character of the basic plane, or a pair of surrogates.</summary>
    private static Expression UnicodeEscape()
    {
        var hex = Set("0123456789abcdefABCDEF");
        var threeHex = Expression.All(hex, hex, hex);
        return Expression.All(Expression.Literal("u"), Expression.Any(
            Expression.All(Set("0123456789abcefABCEF"), threeHex),
            Expression.All(Set("dD"), Set("01234567"), hex, hex),
            Expression.All(Set("dD"), Set("89abAB"), hex, hex, Expression.Literal("\\u"), Set("dD"), Set("cdefCDEF"), hex, hex)));
    }

    private static Expression.Characters Set(string characters) => new Expression.Characters(CodePointSet.OfAny(characters));
}
