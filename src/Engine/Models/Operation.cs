namespace Serving.Engine.Models;

/// <summary>
/// One operation of a model over a range of a step's rows. A model is a list of these per layer, written once; an executor runs the list, and
/// whatever splits, extends or watches a step (nano-batches, adapters, expert offload, traces) works on the list, not on the model.
/// </summary>
public abstract record Operation
{
    /// <summary>The matrices that it multiplies with. Others are only looked up, and need not lie in a product's layout.</summary>
    internal virtual IEnumerable<MatrixWeight> Factors => [];
}

/// <summary><c>to[r] = scale · table[token(r)]</c>.</summary>
public sealed record EmbedTokens(MatrixWeight Table, float Scale, RowBuffer To) : Operation;

/// <summary>RMS norm: <c>to[r] = from[r] / sqrt(mean(from[r]²) + ε) · weight</c> (Zhang and Sennrich, arXiv 1910.07467).</summary>
public sealed record Normalize(RowBuffer From, VectorWeight Weight, float Epsilon, RowBuffer To) : Operation;

/// <summary>RMS norm of each of a row's heads by itself, in place; the heads lie side by side from <paramref name="Column"/> on.</summary>
public sealed record NormalizeHeads(RowBuffer Of, int Column, int Heads, VectorWeight Weight, float Epsilon) : Operation;

/// <summary>Cuts a part of each row off at ±limit, in place.</summary>
public sealed record Clamp(RowBuffer Of, int Column, int Width, float Limit) : Operation;

/// <summary>A matrix product with an optional bias.</summary>
public readonly record struct Projection(MatrixWeight Weight, VectorWeight? Bias);

/// <summary>Matrix products of the same rows, their outputs side by side: <c>to[r] = [from[r]·W₀ᵀ + b₀ | from[r]·W₁ᵀ + b₁ | …]</c>.</summary>
public sealed record Project(ProductInput From, IReadOnlyList<Projection> Parts, RowBuffer To) : Operation
{
    internal override IEnumerable<MatrixWeight> Factors
    {
        get
        {
            foreach (Projection part in Parts)
            {
                yield return part.Weight;
            }
        }
    }
}

/// <summary>
/// A matrix product for each head: head h of <paramref name="From"/>, whose heads are <paramref name="FromStride"/> apart, gives head h of <paramref name="To"/>,
/// whose heads are <paramref name="ToStride"/> apart.
/// </summary>
public sealed record ProjectHeads(RowBuffer From, int FromStride, IReadOnlyList<MatrixWeight> Heads, RowBuffer To, int ToStride) : Operation
{
    internal override IEnumerable<MatrixWeight> Factors => Heads;
}

/// <summary>Copies <paramref name="Width"/> elements of each head from one buffer to another.</summary>
public sealed record CopyHeads(RowBuffer From, int FromColumn, int FromStride, RowBuffer To, int ToColumn, int ToStride, int Heads, int Width) : Operation;

/// <summary>Turns heads by the row's position. The turned elements of the first begin at <paramref name="Column"/>, of the others a stride further each.</summary>
public sealed record Rotate(RowBuffer Of, int Column, int Heads, int Stride, RopeSpec Rope) : Operation;

/// <summary>Writes each row's key and value, which begin at the given columns, into its slot of the layer's KV cache.</summary>
public sealed record StoreKv(int Layer, RowBuffer From, int KeyColumn, int ValueColumn) : Operation;

/// <summary>Causal attention of each row's query, which begins at column 0, over its sequence's KV: <c>to[r]</c> is <c>[head][value dim]</c>.</summary>
public sealed record Attend(int Layer, RowBuffer From, AttentionSpec Attention, RowBuffer To) : Operation;

/// <summary>A gated linear unit: <c>from[r] = [gate | up]</c>.</summary>
public sealed record Gate(RowBuffer From, GateSpec Unit, RowBuffer To) : Operation;

/// <summary>
/// Chooses each row's experts by the router's logits. <c>to[r] = [weights | expert numbers]</c>, <see cref="RouterSpec.Used"/> of each.
/// </summary>
/// <param name="Correction">Added to the scores for the choice and not for the weights, or null.</param>
public sealed record ChooseExperts(RowBuffer From, RouterSpec Router, VectorWeight? Correction, RowBuffer To) : Operation;

/// <summary><c>to[r] = Σ weight · expert(from[r])</c> over the experts that were chosen for the row.</summary>
public sealed record MixExperts(ProductInput From, RowBuffer Choice, ExpertSet Set, RowBuffer To) : Operation
{
    internal override IEnumerable<MatrixWeight> Factors
    {
        get
        {
            foreach (ExpertWeights expert in Set.Experts)
            {
                foreach (MatrixWeight matrix in expert.GateUp)
                {
                    yield return matrix;
                }

                yield return expert.Down;
            }
        }
    }
}

/// <summary><c>to[r] *= sigmoid(from[r][0])</c>.</summary>
public sealed record ScaleBySigmoid(RowBuffer From, RowBuffer To) : Operation;

/// <summary><c>to[r] += from[r]</c>.</summary>
public sealed record AddTo(RowBuffer From, RowBuffer To) : Operation;

/// <summary>Brings the rows whose logits are wanted to the front: <c>to[i] = from[logitRow(i)]</c>.</summary>
public sealed record SelectLogitRows(RowBuffer From, RowBuffer To) : Operation;

/// <summary><c>logits[i] = from[i]·Wᵀ</c>, softcapped where <paramref name="Softcap"/> is not 0.</summary>
public sealed record ProjectLogits(ProductInput From, MatrixWeight Weight, float Softcap) : Operation
{
    internal override IEnumerable<MatrixWeight> Factors => [Weight];
}
