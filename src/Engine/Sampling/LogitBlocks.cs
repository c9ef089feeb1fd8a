using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Serving.Engine.Kernels;

namespace Serving.Engine.Sampling;

/// <summary>
/// A row of logits in blocks of 64: the largest of each block, and its mass. Whoever looks for the likeliest tokens passes over most blocks,
/// and who draws from the whole vocabulary looks into one. A last block that is not full is filled with −∞.
/// </summary>
internal sealed class LogitBlocks(int vocabularySize)
{
    public const int BlockSize = 64;

    private static readonly int VectorsPerBlock = BlockSize / Vector256<float>.Count;

    private readonly float[] _largest = new float[(vocabularySize + BlockSize - 1) / BlockSize];
    private readonly double[] _masses = new double[(vocabularySize + BlockSize - 1) / BlockSize];
    private readonly uint[] _keys = new uint[(vocabularySize + BlockSize - 1) / BlockSize];
    private readonly float[] _padded = new float[BlockSize];

    public int Count => _largest.Length;

    /// <summary>The row's largest logit; NaN when it holds one.</summary>
    public float Largest { get; private set; }

    /// <summary>Takes up a row.</summary>
    public void Scan(ReadOnlySpan<float> logits)
    {
        var all = float.NegativeInfinity;
        for (var block = 0; block < _largest.Length; block++)
        {
            var vectors = Vectors(logits, block);
            var lanes = Vector256.Max(
                Vector256.Max(Vector256.Max(vectors[0], vectors[1]), Vector256.Max(vectors[2], vectors[3])),
                Vector256.Max(Vector256.Max(vectors[4], vectors[5]), Vector256.Max(vectors[6], vectors[7])));
            var four = Vector128.Max(lanes.GetLower(), lanes.GetUpper());
            var two = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
            var largest = MathF.Max(two[0], two[1]);
            _largest[block] = largest;
            all = MathF.Max(all, largest);
        }

        Largest = all;
    }

    /// <summary>The lowest id of the largest logit.</summary>
    public int FirstLargest(ReadOnlySpan<float> logits)
    {
        var first = _largest.AsSpan().IndexOf(Largest) * BlockSize;
        return first + logits[first..].IndexOf(Largest);
    }

    /// <summary>
    /// A number that at least <paramref name="count"/> logits reach, and not many more: so many blocks have their largest there.
    /// </summary>
    public float FloorOfLargest(int count, RankSelection selection)
    {
        if (count > _largest.Length)
        {
            return float.NegativeInfinity;
        }

        for (var block = 0; block < _largest.Length; block++)
        {
            _keys[block] = RankKey.Descending(_largest[block]);
        }

        return _largest[selection.FindCount(_keys, count).Index];
    }

    /// <summary>Whether a block has a logit of at least <paramref name="floor"/>.</summary>
    public bool Reaches(int block, float floor) => _largest[block] >= floor;

    /// <summary>Adds up the weights of the row, block by block.</summary>
    public double Weigh(ReadOnlySpan<float> logits, float inverseTemperature)
    {
        var total = 0.0;
        for (var block = 0; block < _masses.Length; block++)
        {
            var vectors = Vectors(logits, block);
            var sum = Vector256<float>.Zero;
            foreach (var vector in vectors)
            {
                sum += TokenWeight.Of(TokenWeight.Log(vector, Largest, inverseTemperature));
            }

            _masses[block] = VectorMath.Sum(sum);
            total += _masses[block];
        }

        return total;
    }

    /// <summary>
    /// The token at which the mass that <see cref="Weigh"/> has added up, by ascending id, passes the fraction <paramref name="uniform"/>.
    /// </summary>
    public int Draw(ReadOnlySpan<float> logits, float inverseTemperature, double total, double uniform)
    {
        var left = uniform * total;
        var chosen = 0;
        for (var block = 0; block < _masses.Length; block++)
        {
            if (_masses[block] > 0)
            {
                chosen = block;
                if (_masses[block] > left)
                {
                    break;
                }

                left -= _masses[block];
            }
        }

        Span<float> weights = stackalloc float[BlockSize];
        var vectors = Vectors(logits, chosen);
        for (var i = 0; i < vectors.Length; i++)
        {
            TokenWeight.Of(TokenWeight.Log(vectors[i], Largest, inverseTemperature)).CopyTo(weights[(i * Vector256<float>.Count)..]);
        }

        return (chosen * BlockSize) + WeightedDraw.Pick(weights, left);
    }

    private ReadOnlySpan<Vector256<float>> Vectors(ReadOnlySpan<float> logits, int block)
    {
        var rest = logits[(block * BlockSize)..];
        if (rest.Length < BlockSize)
        {
            _padded.AsSpan().Fill(float.NegativeInfinity);
            rest.CopyTo(_padded);
            rest = _padded;
        }

        return MemoryMarshal.Cast<float, Vector256<float>>(rest)[..VectorsPerBlock];
    }
}
