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
    /// <param name="dims">Elements of a head that turn, from its first; even.</param>
    /// <param name="theta">The base of the frequencies.</param>
    /// <param name="frequencyFactors">Divisors of the dims / 2 frequencies (Llama 3's long context), or empty.</param>
    public RopeTable(int contextLength, int dims, float theta, ReadOnlySpan<float> frequencyFactors, bool interleaved)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(contextLength, 1);
        if (dims < 2 || dims % 2 != 0)
        {
            throw new ArgumentException($"Rotary dimensions must be even and positive, not {dims}.", nameof(dims));
        }

        if (frequencyFactors.Length != 0 && frequencyFactors.Length != dims / 2)
        {
            throw new ArgumentException(
                $"{dims} rotary dimensions need {dims / 2} frequency factors, but {frequencyFactors.Length} were given.", nameof(frequencyFactors));
        }

        _dims = dims;
        _interleaved = interleaved;
        _contextLength = contextLength;
        _table = new NativeBuffer(ByteCount(contextLength, dims));
        for (int pair = 0; pair < dims / 2; pair++)
        {
            double factor = frequencyFactors.Length == 0 ? 1 : frequencyFactors[pair];
            FillPair(pair, Math.Pow(theta, -2.0 * pair / dims) / factor);
        }
    }

    /// <summary>Bytes of a table.</summary>
    public static long ByteCount(int contextLength, int dims) => (long)contextLength * dims * 2 * sizeof(float);

    /// <summary>Turns the heads of one row per position, in place.</summary>
    /// <param name="x"><c>[positions, heads, headDim]</c>, rows <paramref name="stride"/> floats apart.</param>
    public void Apply(float* x, int stride, int heads, int headDim, ReadOnlySpan<int> positions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(headDim, _dims);
        for (int row = 0; row < positions.Length; row++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)positions[row], (uint)_contextLength, nameof(positions));
            float* cosines = (float*)_table.Address + ((long)positions[row] * _dims * 2);
            float* head = x + ((long)row * stride);
            for (int h = 0; h < heads; h++, head += headDim)
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

    private void FillPair(int pair, double frequency)
    {
        int first = _interleaved ? 2 * pair : pair;
        int second = _interleaved ? first + 1 : first + (_dims / 2);
        for (int position = 0; position < _contextLength; position++)
        {
            float* cosines = (float*)_table.Address + ((long)position * _dims * 2);
            (double sine, double cosine) = Math.SinCos(position * frequency);
            cosines[first] = cosines[second] = (float)cosine;
            cosines[_dims + first] = (float)-sine;
            cosines[_dims + second] = (float)sine;
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
