namespace Serving.Grammars.Matching;

/// <summary>Tokens that may come at a place: those that its rule alone allows, and those that go beyond the rule's end and are allowed by what follows.</summary>
internal sealed record StackMask(TokenSet Within, TokenSet Beyond);
