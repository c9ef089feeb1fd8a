using System.IO.Hashing;
using Serving.Engine.Kernels;

namespace Serving.Engine.PackedWeights;

/// <summary>The hashes of bytes, a chunk each, taken with all threads of a pool (XxHash3, https://github.com/Cyan4973/xxHash: it finds damage, it does not keep anybody from doing some).</summary>
internal static unsafe class ChunkHashes
{
    public const int ChunkBytes = 1 << 20;

    public static int Count(long byteCount) => checked((int)((byteCount + ChunkBytes - 1) / ChunkBytes));

    public static ulong[] Compute(byte* bytes, long byteCount, ComputePool pool)
    {
        Work work = new() { Bytes = bytes, ByteCount = byteCount, Hashes = new ulong[Count(byteCount)] };
        pool.EnterStep();
        try
        {
            pool.Run(ref work);
        }
        finally
        {
            pool.LeaveStep();
        }

        return work.Hashes;
    }

    private struct Work : IParallelWork
    {
        public byte* Bytes;
        public long ByteCount;
        public ulong[] Hashes;
        private int _next;

        public void Execute(int thread, int threadCount)
        {
            while (true)
            {
                int chunk = Interlocked.Increment(ref _next) - 1;
                if (chunk >= Hashes.Length)
                {
                    return;
                }

                long start = (long)chunk * ChunkBytes;
                Hashes[chunk] = XxHash3.HashToUInt64(new ReadOnlySpan<byte>(Bytes + start, (int)Math.Min(ChunkBytes, ByteCount - start)));
            }
        }
    }
}
