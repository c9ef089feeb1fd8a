namespace Serving.Engine.Kernels;

/// <summary>How queries attend, besides what the KV cache's layout says.</summary>
/// <param name="QueryHeads">Heads of queries and outputs; a multiple of the layout's KV heads.</param>
/// <param name="Scale">What scores are multiplied with.</param>
/// <param name="Window">Tokens that a token sees, itself among them: the token at position p sees those from p − Window + 1 to p. 0: all up to itself.</param>
/// <param name="Softcap">Scores become <c>softcap · tanh(score / softcap)</c>; 0: they stay as they are.</param>
public sealed record AttentionShape(int QueryHeads, float Scale, int Window = 0, float Softcap = 0)
{
    /// <summary>The first position that the token at a position sees.</summary>
    internal int FirstKey(int position) => Window == 0 ? 0 : Math.Max(0, position - Window + 1);
}
