using System.Diagnostics;
using System.Runtime.Intrinsics;

namespace Serving.Engine.Kernels;

/// <summary>Plain reading of memory by every thread of a pool: the bound of one-row products.</summary>
public sealed unsafe class ReadBandwidth : IDisposable
{
    /// <summary>More than any cache holds.</summary>
    public const long ByteCount = 256L << 20;

    private readonly NativeBuffer _buffer = new(ByteCount);

    public ReadBandwidth() => new Span<byte>(_buffer.Address, (int)ByteCount).Fill(1);

    /// <summary>Bytes per second, the best of so many passes.</summary>
    public double Measure(ComputePool pool, int passes)
    {
        double best = double.PositiveInfinity;
        for (int i = 0; i < passes; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Run(pool);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return ByteCount / best;
    }

    /// <summary>Reads all of it once.</summary>
    public void Run(ComputePool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        Work work = new() { Address = _buffer.Address };
        pool.Run(ref work);
        if (work.Sum == 0)
        {
            throw new InvalidOperationException("The buffer is not what it was filled with.");
        }
    }

    public void Dispose() => _buffer.Dispose();

    private struct Work : IParallelWork
    {
        public byte* Address;
        public int Sum;

        public void Execute(int thread, int threadCount)
        {
            byte* from = Address + (ByteCount / threadCount * thread);
            byte* to = from + (ByteCount / threadCount);
            Vector256<int> a = Vector256<int>.Zero, b = a, c = a, d = a;
            for (; from < to; from += 128)
            {
                a += Vector256.Load((int*)from);
                b += Vector256.Load((int*)(from + 32));
                c += Vector256.Load((int*)(from + 64));
                d += Vector256.Load((int*)(from + 96));
            }

            Interlocked.Add(ref Sum, Vector256.Sum(a + b + c + d) | 1);
        }
    }
}
