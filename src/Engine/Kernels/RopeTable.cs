using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Serving.Engine.Kernels;

/// <summary>
/// Rotary position embedding (Su et al., arXiv 2104.09864): the cosines and sines of every position, and their application. The two numbers that
/// turn together are neighbours (<c>interleaved</c>, GGUF's llama) or half the dimensions apart (Qwen, Gemma and most others).
/// </summary>
public sealed unsafe class RopeTable : IDisposable
{
    private readonly int _dims;
    private readonly bool _interleaved;
    private readonly int _contextLength;

    // One row a position: dims cosines, then dims sines, in the order of the elements they are multiplied with; a sine carries its sign.
    private readonly NativeBuffer _table;

    /// <param name="contextLength">Positions.</param>
    /// <param name="frequencies">Radians a position, one a pair of elements.</param>
    /// <param name="magnitude">What the turned elements are multiplied with.</param>
    public RopeTable(int contextLength, ReadOnlySpan<double> frequencies, float magnitude, bool interleaved)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(contextLength, 1);
        if (frequencies.IsEmpty)
        {
            throw new ArgumentException("A rotation needs at least one frequency.", nameof(frequencies));
        }

        _dims = 2 * frequencies.Length;
        _interleaved = interleaved;
        _contextLength = contextLength;
        _table = new NativeBuffer(ByteCount(contextLength, _dims));
        for (int pair = 0; pair < frequencies.Length; pair++)
        {
            FillPair(pair, frequencies[pair], magnitude);
        }
    }

    /// <summary>Bytes of a table.</summary>
    public static long ByteCount(int contextLength, int dims) => (long)contextLength * dims * 2 * sizeof(float);

    /// <summary>Turns the heads of one row per position, in place.</summary>
    /// <param name="x">The first turned element; rows lie <paramref name="stride"/> floats apart.</param>
    /// <param name="headStride">Floats between two heads.</param>
    public void Apply(float* x, int stride, int heads, int headStride, ReadOnlySpan<int> positions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(headStride, _dims);
        for (int row = 0; row < positions.Length; row++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)positions[row], (uint)_contextLength, nameof(positions));
            float* cosines = (float*)_table.Address + ((long)positions[row] * _dims * 2);
            float* head = x + ((long)row * stride);
            for (int h = 0; h < heads; h++, head += headStride)
            {
                if (_interleaved)
                {
                    TurnNeighbours(head, cosines);
                }
                else
                {
                    TurnHalves(head, cosines);
                }
            }
        }
    }

    public void Dispose() => _table.Dispose();

    private void FillPair(int pair, double frequency, double magnitude)
    {
        int first = _interleaved ? 2 * pair : pair;
        int second = _interleaved ? first + 1 : first + (_dims / 2);
        for (int position = 0; position < _contextLength; position++)
        {
            float* cosines = (float*)_table.Address + ((long)position * _dims * 2);
            (double sine, double cosine) = Math.SinCos(position * frequency);
            cosines[first] = cosines[second] = (float)(cosine * magnitude);
            cosines[_dims + first] = (float)(-sine * magnitude);
            cosines[_dims + second] = (float)(sine * magnitude);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TurnNeighbours(float* head, float* cosines)
    {
        float* sines = cosines + _dims;
        int i = 0;
        for (; i <= _dims - 4; i += 4)
        {
            Vector128<float> value = Vector128.Load(head + i);
            Vector128<float> swapped = Vector128.Shuffle(value, Vector128.Create(1, 0, 3, 2));
            Vector128.FusedMultiplyAdd(value, Vector128.Load(cosines + i), swapped * Vector128.Load(sines + i)).Store(head + i);
        }

        if (i < _dims)
        {
            Turn(head, i, i + 1, cosines);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TurnHalves(float* head, float* cosines)
    {
        float* sines = cosines + _dims;
        int half = _dims / 2;
        int i = 0;
        for (; i <= half - 4; i += 4)
        {
            Vector128<float> low = Vector128.Load(head + i);
            Vector128<float> high = Vector128.Load(head + half + i);
            Vector128.FusedMultiplyAdd(low, Vector128.Load(cosines + i), high * Vector128.Load(sines + i)).Store(head + i);
            Vector128.FusedMultiplyAdd(high, Vector128.Load(cosines + half + i), low * Vector128.Load(sines + half + i)).Store(head + half + i);
        }

        for (; i < half; i++)
        {
            Turn(head, i, half + i, cosines);
        }
    }

    private void Turn(float* head, int first, int second, float* cosines)
    {
        float a = head[first];
        float b = head[second];
        head[first] = MathF.FusedMultiplyAdd(a, cosines[first], b * cosines[_dims + first]);
        head[second] = MathF.FusedMultiplyAdd(b, cosines[second], a * cosines[_dims + second]);
    }
}
