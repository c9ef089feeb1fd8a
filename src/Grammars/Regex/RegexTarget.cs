using Serving.Grammars.Characters;
using Serving.Grammars.Expressions;
using Serving.Grammars.Json;

namespace Serving.Grammars.Regex;

/// <summary>What a regular expression is about: how one of its characters is written, and whether it has to match the whole text.</summary>
internal sealed record RegexTarget(Func<CodePointSet, Expression> Write, bool MatchesWhole)
{
    /// <summary>An answer's text, from end to end.</summary>
    public static RegexTarget PlainText { get; } = new(set => new Expression.Characters(set), MatchesWhole: true);

    /// <summary>The value of a JSON string, anywhere in it unless anchored.</summary>
    public static RegexTarget JsonString { get; } = new(JsonText.Characters, MatchesWhole: false);
}
