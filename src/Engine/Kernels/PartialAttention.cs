using System.Runtime.Intrinsics;

namespace Serving.Engine.Kernels;

/// <summary>
/// The attention of some queries over some of their keys, before the division: for each query the maximum m of its scores, the sum of the weights
/// e^(score − m) and the sum of weight × value. Parts merge into the attention over all keys (online softmax: Milakov and Gimelshein, arXiv 1805.02867).
/// </summary>
internal readonly unsafe struct PartialAttention
{
    private readonly float* _memory;
    private readonly int _queries;

    /// <param name="memory"><see cref="FloatCount"/> floats.</param>
    /// <param name="stride">Floats of a query's sum of values: <see cref="AttentionScratch.ValueStride"/>.</param>
    public PartialAttention(float* memory, int queries, int stride)
    {
        _memory = memory;
        _queries = queries;
        Stride = stride;
    }

    public int Stride { get; }

    public float* Maxima => _memory;

    public float* Sums => _memory + _queries;

    /// <summary><c>[queries, stride]</c>.</summary>
    public float* Values => _memory + (2 * _queries);

    public static int FloatCount(int queries, int stride) => queries * (stride + 2);

    /// <summary>No keys seen; or a sink, which is a key with that score and no value.</summary>
    /// <param name="sinks">Empty, or a score a head of the group.</param>
    /// <param name="firstQuery">The number of the first query among those of the KV head.</param>
    public void Begin(ReadOnlySpan<float> sinks, int firstQuery, int queries)
    {
        for (int query = 0; query < queries; query++)
        {
            Maxima[query] = sinks.IsEmpty ? float.MinValue : sinks[(firstQuery + query) % sinks.Length];
            Sums[query] = sinks.IsEmpty ? 0 : 1;
        }

        new Span<float>(Values, queries * Stride).Clear();
    }

    /// <summary>Adds the attention over further keys. A part without keys changes nothing.</summary>
    public void Merge(in PartialAttention part, int queries)
    {
        for (int query = 0; query < queries; query++)
        {
            float maximum = MathF.Max(Maxima[query], part.Maxima[query]);
            float own = VectorMath.Exp(Maxima[query] - maximum);
            float other = VectorMath.Exp(part.Maxima[query] - maximum);
            Maxima[query] = maximum;
            Sums[query] = MathF.FusedMultiplyAdd(Sums[query], own, part.Sums[query] * other);
            float* to = Values + (query * Stride);
            float* from = part.Values + (query * Stride);
            for (int d = 0; d < Stride; d += VectorMath.Lanes)
            {
                Vector256<float> added = Vector256.Load(from + d) * Vector256.Create(other);
                Vector256.FusedMultiplyAdd(Vector256.Load(to + d), Vector256.Create(own), added).Store(to + d);
            }
        }
    }

    /// <summary>Writes a query's sum of values, divided by its sum of weights.</summary>
    public void Finish(int query, float* y, int dim)
    {
        float* from = Values + (query * Stride);
        float divisor = Sums[query];
        int d = 0;
        for (; d <= dim - VectorMath.Lanes; d += VectorMath.Lanes)
        {
            // Weights of zero may have turned a sum of −0 into 0 or not, as the tiles fell: adding 0 makes both 0.
            ((Vector256.Load(from + d) / Vector256.Create(divisor)) + Vector256<float>.Zero).Store(y + d);
        }

        for (; d < dim; d++)
        {
            y[d] = (from[d] / divisor) + 0f;
        }
    }
}
