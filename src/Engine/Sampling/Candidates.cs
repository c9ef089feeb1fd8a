using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Serving.Engine.Sampling;

/// <summary>Tokens that may still be drawn, by ascending id, each with its weight and the weight's logarithm. Filters take some away.</summary>
internal sealed class Candidates
{
    private readonly int[] _ids;
    private readonly float[] _logs;
    private readonly float[] _weights;
    private readonly uint[] _keys;

    public Candidates(int vocabularySize)
    {
        // Whole vectors: the numbers after the last candidate are computed too, and not looked at.
        var capacity = vocabularySize + Vector256<float>.Count;
        _ids = new int[capacity];
        _logs = new float[capacity];
        _weights = new float[capacity];
        _keys = new uint[capacity];
    }

    public int Count { get; private set; }

    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, Count);

    /// <summary>Logits after <see cref="Gather"/>, logarithms of weights after <see cref="Weigh"/>.</summary>
    public ReadOnlySpan<float> Logs => _logs.AsSpan(0, Count);

    /// <summary>There after <see cref="Weigh"/>, all above 0.</summary>
    public ReadOnlySpan<float> Weights => _weights.AsSpan(0, Count);

    /// <summary>One key a candidate, for the one who ranks them.</summary>
    public Span<uint> Keys => _keys.AsSpan(0, Count);

    /// <summary>Takes the tokens whose logits are at least <paramref name="floor"/>.</summary>
    /// <param name="blocks">Has scanned <paramref name="logits"/>.</param>
    public void Gather(ReadOnlySpan<float> logits, LogitBlocks blocks, float floor)
    {
        Count = 0;
        for (var block = 0; block < blocks.Count; block++)
        {
            if (blocks.Reaches(block, floor))
            {
                var first = block * LogitBlocks.BlockSize;
                GatherBlock(logits.Slice(first, Math.Min(LogitBlocks.BlockSize, logits.Length - first)), first, floor);
            }
        }
    }

    /// <summary>Makes weights of the logits, and drops the tokens that weigh nothing or less than <paramref name="weightMin"/>.</summary>
    public void Weigh(float largest, float inverseTemperature, float weightMin)
    {
        var logs = MemoryMarshal.Cast<float, Vector256<float>>(_logs.AsSpan());
        var weights = MemoryMarshal.Cast<float, Vector256<float>>(_weights.AsSpan());
        for (var i = 0; i * Vector256<float>.Count < Count; i++)
        {
            logs[i] = TokenWeight.Log(logs[i], largest, inverseTemperature);
            weights[i] = TokenWeight.Of(logs[i]);
        }

        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            if (_weights[i] > 0 && _weights[i] >= weightMin)
            {
                Move(i, kept++);
            }
        }

        Count = kept;
    }

    /// <summary>Drops the candidates that an order by <see cref="Keys"/> has after the cut.</summary>
    public void Keep(RankCut cut)
    {
        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            if (cut.Keeps(_keys[i], i))
            {
                Move(i, kept++);
            }
        }

        Count = kept;
    }

    private void GatherBlock(ReadOnlySpan<float> logits, int first, float floor)
    {
        var vectors = MemoryMarshal.Cast<float, Vector256<float>>(logits);
        for (var i = 0; i < vectors.Length; i++)
        {
            var reaching = Vector256.GreaterThanOrEqual(vectors[i], Vector256.Create(floor)).ExtractMostSignificantBits();
            for (; reaching != 0; reaching &= reaching - 1)
            {
                var index = (i * Vector256<float>.Count) + BitOperations.TrailingZeroCount(reaching);
                Add(first + index, logits[index]);
            }
        }

        for (var index = vectors.Length * Vector256<float>.Count; index < logits.Length; index++)
        {
            if (logits[index] >= floor)
            {
                Add(first + index, logits[index]);
            }
        }
    }

    private void Add(int id, float logit)
    {
        _ids[Count] = id;
        _logs[Count++] = logit;
    }

    private void Move(int from, int to)
    {
        _ids[to] = _ids[from];
        _logs[to] = _logs[from];
        _weights[to] = _weights[from];
    }
}
