namespace Serving.Engine.Models;

/// <summary>How queries attend.</summary>
/// <param name="Index">Its place in <see cref="ModelGraph.Attentions"/>.</param>
/// <param name="QueryHeads">Query heads.</param>
/// <param name="Scale">What scores are multiplied with.</param>
/// <param name="Window">Tokens that a token sees, itself among them; 0: all before it (sliding windows: Beltagy et al., arXiv 2004.05150).</param>
/// <param name="Softcap">Scores become <c>softcap · tanh(score / softcap)</c>; 0: they stay as they are (Gemma 2, arXiv 2408.00118).</param>
/// <param name="Sinks">A logit a query head that takes part in the softmax and has no value (GPT-OSS, arXiv 2508.10925), or null.</param>
public sealed record AttentionSpec(int Index, int QueryHeads, float Scale, int Window = 0, float Softcap = 0, VectorWeight? Sinks = null);
