namespace Serving.Grammars.Matching;

/// <summary>What can be said of tokens at a state of a rule without knowing what follows the rule.</summary>
/// <param name="Accepted">Allowed whatever follows.</param>
/// <param name="Dependents">Those that end the rule and go on; null: none.</param>
internal sealed record LocalMask(TokenSet Accepted, TokenTrie? Dependents);
