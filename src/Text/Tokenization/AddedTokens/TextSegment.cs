namespace Serving.Text.Tokenization.AddedTokens;

/// <summary>A part of a text: an added token, or what lies between two.</summary>
internal readonly record struct TextSegment(int Start, int Length, AddedToken? Token);
