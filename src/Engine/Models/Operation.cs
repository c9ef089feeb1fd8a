namespace Serving.Engine.Models;

/// <summary>
/// One operation of a model over a range of a step's rows. A model is a list of these per layer, written once; an executor runs the list, and
/// whatever splits, extends or watches a step (nano-batches, adapters, expert offload, traces) works on the list, not on the model.
/// </summary>
public abstract record Operation;

/// <summary><c>to[r] = table[token(r)]</c>.</summary>
public sealed record EmbedTokens(MatrixWeight Table, RowBuffer To) : Operation;

/// <summary>RMS norm: <c>to[r] = from[r] / sqrt(mean(from[r]²) + ε) · weight</c> (Zhang and Sennrich, arXiv 1910.07467).</summary>
public sealed record Normalize(RowBuffer From, VectorWeight Weight, float Epsilon, RowBuffer To) : Operation;

/// <summary>A matrix product with an optional bias.</summary>
public readonly record struct Projection(MatrixWeight Weight, VectorWeight? Bias);

/// <summary>Matrix products of the same rows, their outputs side by side: <c>to[r] = [from[r]·W₀ᵀ + b₀ | from[r]·W₁ᵀ + b₁ | …]</c>.</summary>
public sealed record Project(ProductInput From, IReadOnlyList<Projection> Parts, RowBuffer To) : Operation;

/// <summary>Turns the first <paramref name="Heads"/> heads of each row by the row's position.</summary>
public sealed record Rotate(RowBuffer Of, int Heads, int HeadDim, RopeSpec Rope) : Operation;

/// <summary>Writes each row's key and value, which begin at the given columns, into its slot of the layer's KV cache.</summary>
public sealed record StoreKv(int Layer, RowBuffer From, int KeyColumn, int ValueColumn) : Operation;

/// <summary>Causal attention of each row's query, which begins at column 0, over its sequence's KV: <c>to[r]</c> is <c>[head][dim]</c>.</summary>
public sealed record Attend(int Layer, RowBuffer From, RowBuffer To) : Operation;

/// <summary><c>to[r] = silu(gate) · up</c>, where <c>from[r] = [gate | up]</c> (Shazeer, arXiv 2002.05202).</summary>
public sealed record SwiGluGate(RowBuffer From, RowBuffer To) : Operation;

/// <summary><c>to[r] += from[r]</c>.</summary>
public sealed record AddTo(RowBuffer From, RowBuffer To) : Operation;

/// <summary>Brings the rows whose logits are wanted to the front: <c>to[i] = from[logitRow(i)]</c>.</summary>
public sealed record SelectLogitRows(RowBuffer From, RowBuffer To) : Operation;

/// <summary><c>logits[i] = from[i]·Wᵀ</c>.</summary>
public sealed record ProjectLogits(ProductInput From, MatrixWeight Weight) : Operation;
