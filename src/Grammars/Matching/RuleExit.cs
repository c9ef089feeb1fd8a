namespace Serving.Grammars.Matching;

/// <summary>The first node of a vocabulary's trie after the end of a rule: tokens through it are a text of the rule and what follows it.</summary>
/// <param name="Items">Of a repetition: items that came before.</param>
internal readonly record struct RuleExit(int Node, int Items);
