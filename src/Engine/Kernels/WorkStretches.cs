namespace Serving.Engine.Kernels;

/// <summary>
/// How threads divide numbered parts that lie one after the other in memory: each begins with a stretch of its own and then takes what others have left. A stretch is taken
/// in pieces, so that a thread that began late, or whose processor another process uses, leaves the rest to the others.
/// </summary>
internal sealed class WorkStretches(int threads)
{
    // The threads' positions lie a cache line apart.
    private const int PositionStride = 8;

    private readonly long[] _positions = new long[threads * PositionStride];
    private int _parts;
    private int _piece;

    /// <summary>Divides the parts anew; no thread may be taking any.</summary>
    /// <param name="parts">How many there are.</param>
    /// <param name="piece">How many are taken at once.</param>
    public void Begin(int parts, int piece)
    {
        _parts = parts;
        _piece = piece;
        for (int thread = 0; thread < threads; thread++)
        {
            _positions[thread * PositionStride] = Start(thread);
        }
    }

    /// <summary>Takes a thread's next piece: the parts from <paramref name="start"/> to before <paramref name="end"/>.</summary>
    /// <param name="done">Stretches that the thread knows to be empty: 0 at first, then as the call left it.</param>
    /// <returns>False when there is nothing left.</returns>
    public bool TryTake(int thread, ref int done, out int start, out int end)
    {
        for (; done < threads; done++)
        {
            int owner = (thread + done) % threads;
            int stretchEnd = Start(owner + 1);
            long next = Interlocked.Add(ref _positions[owner * PositionStride], _piece);
            if (next - _piece < stretchEnd)
            {
                start = (int)next - _piece;
                end = (int)Math.Min(next, stretchEnd);
                return true;
            }
        }

        start = end = 0;
        return false;
    }

    private int Start(int thread) => (int)((long)_parts * thread / threads);
}
