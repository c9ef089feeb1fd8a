namespace Serving.Engine.Models;

/// <summary>The experts of one layer and how a token chooses among them (Shazeer et al., arXiv 1701.06538).</summary>
/// <param name="Width">Elements of a row that goes in and comes out.</param>
/// <param name="HiddenWidth">Elements between an expert's two halves.</param>
/// <param name="Router">How experts are chosen and weighted.</param>
/// <param name="Gate">The experts' activation.</param>
/// <param name="Experts">Their weights, by number.</param>
public sealed record ExpertSet(int Width, int HiddenWidth, RouterSpec Router, GateSpec Gate, IReadOnlyList<ExpertWeights> Experts);

/// <summary>One expert: a gated MLP.</summary>
/// <param name="GateUp">Gate and up, each <c>[hidden, width]</c>, or both in one.</param>
/// <param name="GateUpBias">Their biases side by side, or null.</param>
public sealed record ExpertWeights(IReadOnlyList<MatrixWeight> GateUp, VectorWeight? GateUpBias, MatrixWeight Down, VectorWeight? DownBias);
