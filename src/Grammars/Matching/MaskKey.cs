namespace Serving.Grammars.Matching;

/// <summary>A state of a rule, by its index there; with the counts where masks are not the same for all of them.</summary>
internal readonly record struct MaskKey(int State, int Needed, int Left);
