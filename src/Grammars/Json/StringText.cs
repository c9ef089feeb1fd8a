using System.Collections.Concurrent;
using Serving.Grammars.Automata;
using Serving.Grammars.Characters;
using Serving.Grammars.Expressions;
using Serving.Grammars.Regex;

namespace Serving.Grammars.Json;

/// <summary>Strings, as texts with their quotes.</summary>
internal static class StringText
{
    /// <summary>The longest bound that is held together with a pattern, where each length is a state of its own.</summary>
    private const int LengthWithPatternMax = 1_000;

    private static readonly RegexTarget _wholeString = new(JsonText.Characters, MatchesWhole: true);

    /// <summary>By expression: formats are always the same, so that each is built once in a process.</summary>
    private static readonly ConcurrentDictionary<string, Expression> _formats = new();

    /// <summary>Strings that hold to constraints. Without a pattern, characters may be escaped in any way.</summary>
    public static Expression Of(SchemaConstraints constraints) =>
        constraints.Texts.Count > 0 ? Quote(Pattern(constraints))
        : constraints.MinLength == 0 && constraints.MaxLength is null ? FreeJson.String
        : Quote(new Expression.Counted(JsonText.FreeCharacter, constraints.MinLength, constraints.MaxLength));

    /// <summary>The same with each character in its one shortest form, so that different texts are different strings.</summary>
    public static Expression Canonical(SchemaConstraints constraints) => Quote(
        constraints.Texts.Count > 0 ? Pattern(constraints) : new Expression.Repeat(JsonText.AnyCharacter, constraints.MinLength, constraints.MaxLength));

    /// <summary>Contents of strings that a pattern matches, anywhere unless it is anchored.</summary>
    public static Automaton Matching(string pattern, string path) => At(path, () => RuleBuilder.BuildFlat(RegexParser.Parse(pattern, RegexTarget.JsonString)));

    public static Expression Quote(Expression content) => Expression.All(Expression.Literal("\""), content, Expression.Literal("\""));

    private static Expression Pattern(SchemaConstraints constraints)
    {
        var parts = constraints.Texts.Select(text => text.IsFormat ? Format(text.Regex) : new Rule(
            text.Path, At(text.Path, () => RegexParser.Parse(text.Regex, RegexTarget.JsonString))).Reference).ToList();
        var path = constraints.Texts[0].Path;
        if (constraints.MinLength > 0 || constraints.MaxLength is not null)
        {
            parts.Add(new Expression.Repeat(JsonText.AnyCharacter, Bounded(constraints.MinLength, path), constraints.MaxLength is { } max ? Bounded(max, path) : null));
        }

        return parts.Count == 1
            ? parts[0]
            : At(path, () => new Expression.Built(parts.Select(RuleBuilder.BuildFlat).Aggregate(AutomatonProduct.Intersect)));
    }

    private static Expression Format(string regex) => _formats.GetOrAdd(regex, static regex =>
        new Rule("format", new Expression.Built(RuleBuilder.BuildFlat(RegexParser.Parse(regex, _wholeString)))).Reference);

    private static int Bounded(int length, string path) => length <= LengthWithPatternMax
        ? length
        : throw new GrammarException(path, $"stands beside a length of {length}; together with a pattern or format at most {LengthWithPatternMax} is held. Put the length into the pattern, or leave it out.");

    private static T At<T>(string path, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (GrammarException exception) when (exception.Path.Length == 0)
        {
            throw new GrammarException(path, exception.Reason);
        }
    }
}
