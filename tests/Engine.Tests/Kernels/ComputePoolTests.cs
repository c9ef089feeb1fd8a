using Serving.Engine.Kernels;

namespace Serving.Engine.Tests.Kernels;

public sealed class ComputePoolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Runs_every_share_once_each_time(int threads)
    {
        using ComputePool pool = new(threads);
        int[] runs = new int[threads];
        CountWork work = new() { Runs = runs };
        for (int i = 0; i < 200; i++)
        {
            pool.Run(ref work);
        }

        Assert.All(runs, count => Assert.Equal(200, count));
    }

    [Fact]
    public void Wakes_threads_that_have_parked()
    {
        using ComputePool pool = new(3);
        using ManualResetEventSlim never = new();
        int[] runs = new int[3];
        CountWork work = new() { Runs = runs };
        for (int i = 0; i < 5; i++)
        {
            pool.Run(ref work);

            // Far longer than the threads spin.
            never.Wait(TimeSpan.FromMilliseconds(5), TestContext.Current.CancellationToken);
        }

        Assert.Equal([5, 5, 5], runs);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Throws_what_a_share_throws_and_goes_on_working(int failingThread)
    {
        using ComputePool pool = new(2);
        FailingWork failing = new() { FailingThread = failingThread };

        Assert.Equal($"share {failingThread}", Assert.Throws<InvalidOperationException>(() => pool.Run(ref failing)).Message);

        CountWork work = new() { Runs = new int[2] };
        pool.Run(ref work);
        Assert.Equal([1, 1], work.Runs);
    }

    [Fact]
    public void Hands_the_work_back_as_its_shares_left_it()
    {
        using ComputePool pool = new(4);
        SumWork work = default;
        pool.Run(ref work);

        Assert.Equal(0 + 1 + 2 + 3, work.Sum);
    }

    [Fact]
    public void Refuses_work_once_it_is_disposed()
    {
        ComputePool pool = new(2);
        pool.Dispose();
        SumWork work = default;

        Assert.Throws<ObjectDisposedException>(() => pool.Run(ref work));
    }

    private struct CountWork : IParallelWork
    {
        public int[] Runs;

        public readonly void Execute(int thread, int threadCount) => Runs[thread]++;
    }

    private struct FailingWork : IParallelWork
    {
        public int FailingThread;

        public readonly void Execute(int thread, int threadCount)
        {
            if (thread == FailingThread)
            {
                throw new InvalidOperationException($"share {thread}");
            }
        }
    }

    private struct SumWork : IParallelWork
    {
        public int Sum;

        public void Execute(int thread, int threadCount) => Interlocked.Add(ref Sum, thread);
    }
}
