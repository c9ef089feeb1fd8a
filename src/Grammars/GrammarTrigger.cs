namespace Serving.Grammars;

/// <summary>A marker in free text, and what has to follow it.</summary>
/// <param name="Marker">A text, or the name of a special token.</param>
/// <param name="IsSpecialToken">Whether it is the latter.</param>
public sealed record GrammarTrigger(string Marker, Grammar Then, bool IsSpecialToken = false);
