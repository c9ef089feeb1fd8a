namespace Serving.Engine.Kernels;

/// <summary>A piece of work that every thread of a <see cref="ComputePool"/> takes its share of. A struct, so that starting it allocates nothing.</summary>
public interface IParallelWork
{
    /// <summary>Does the share of one thread. Shares must not depend on each other; together they cover the work for any thread count.</summary>
    void Execute(int thread, int threadCount);
}
