namespace Serving.Grammars;

/// <summary>What a token adds to a text.</summary>
/// <param name="Bytes">In UTF-8, perhaps a part of a character; empty for a token that adds none.</param>
/// <param name="LeadingBytes">The same where the token is the first of a text: some models drop a space there.</param>
/// <param name="SpecialName">For a special token, which is structure and no text: how it is written. Null for every other.</param>
public readonly record struct VocabularyToken(ReadOnlyMemory<byte> Bytes, ReadOnlyMemory<byte> LeadingBytes, string? SpecialName = null);
