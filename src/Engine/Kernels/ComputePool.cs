using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Serving.Engine.Kernels;

/// <summary>
/// The threads that compute. The caller is thread 0; the others wait for work, spinning at most 50 µs before they park, so that an idle engine
/// uses no processor time. A share that its thread has not begun when the caller is done with its own is taken over by the caller: on a machine that others
/// use too, nothing waits for a thread that does not run. One caller at a time: models that share a pool take turns,
/// a step each (<see cref="EnterStep"/>).
/// </summary>
public sealed unsafe class ComputePool : IDisposable
{
    // Claims lie a cache line apart.
    private const int ClaimStride = 16;

    private readonly Thread[] _threads;

    // The last generation of which each thread's share was begun, by that thread or by the caller.
    private readonly int[] _claims;
    private readonly SpinGate[] _gates;
    private readonly SpinGate _finished = new();

    // Steps are numbered as they come, and begin in that order: a busy model cannot keep another one out.
    private readonly object _turns = new();
    private long _nextTurn;
    private long _turn;
    private delegate*<void*, int, int, void> _invoke;
    private void* _work;
    private int _generation;
    private int _unfinished;
    private volatile ExceptionDispatchInfo? _failure;
    private volatile bool _disposed;

    /// <param name="threadCount">Threads that compute, the caller's among them.</param>
    public ComputePool(int threadCount)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threadCount, 1);
        ThreadCount = threadCount;
        _threads = new Thread[threadCount - 1];
        _gates = new SpinGate[threadCount - 1];
        _claims = new int[threadCount * ClaimStride];
        for (int i = 0; i < _threads.Length; i++)
        {
            int index = i;
            _gates[i] = new SpinGate();
            _threads[i] = new Thread(() => WorkLoop(index)) { IsBackground = true, Name = $"compute-{i + 1}" };
            _threads[i].Start();
        }

        Products = new ProductList(this);
    }

    public int ThreadCount { get; }

    /// <summary>The products that the caller runs next.</summary>
    internal ProductList Products { get; }

    /// <summary>Runs every thread's share of <paramref name="work"/> and returns when all are done. The first exception of a share is thrown here.</summary>
    public void Run<TWork>(ref TWork work)
        where TWork : struct, IParallelWork
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (ThreadCount == 1)
        {
            work.Execute(0, 1);
            return;
        }

        // The threads share a copy on this stack, which does not move; the collector keeps the references in it up to date.
        TWork shared = work;
        _work = Unsafe.AsPointer(ref shared);
        _invoke = &Invoke<TWork>;
        _unfinished = _threads.Length;
        int generation = Interlocked.Increment(ref _generation);
        foreach (SpinGate gate in _gates)
        {
            gate.Open();
        }

        Invoke(0);
        for (int thread = 1; thread < ThreadCount; thread++)
        {
            if (TryClaim(thread, generation))
            {
                Invoke(thread);
                Interlocked.Decrement(ref _unfinished);
            }
        }

        _finished.WaitUntilZero(ref _unfinished);
        work = shared;
        if (_failure is { } failure)
        {
            _failure = null;
            failure.Throw();
        }
    }

    /// <summary>Waits until the threads are this caller's; <see cref="LeaveStep"/> must follow.</summary>
    public void EnterStep()
    {
        lock (_turns)
        {
            long turn = _nextTurn++;
            while (turn != _turn)
            {
                Monitor.Wait(_turns);
            }
        }
    }

    /// <summary>As <see cref="EnterStep"/>, but only where nobody has the threads or waits for them.</summary>
    /// <returns>Whether they are this caller's.</returns>
    public bool TryEnterStep()
    {
        lock (_turns)
        {
            if (_nextTurn != _turn)
            {
                return false;
            }

            _nextTurn++;
            return true;
        }
    }

    /// <summary>Lets the next caller have the threads.</summary>
    public void LeaveStep()
    {
        lock (_turns)
        {
            _turn++;
            Monitor.PulseAll(_turns);
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        Interlocked.Increment(ref _generation);
        foreach (SpinGate gate in _gates)
        {
            gate.Open();
        }

        foreach (Thread thread in _threads)
        {
            thread.Join();
        }

        foreach (SpinGate gate in _gates)
        {
            gate.Dispose();
        }

        _finished.Dispose();
    }

    private static void Invoke<TWork>(void* work, int thread, int threadCount)
        where TWork : struct, IParallelWork => Unsafe.AsRef<TWork>(work).Execute(thread, threadCount);

    private void WorkLoop(int index)
    {
        int generation = 0;
        while (true)
        {
            _gates[index].WaitWhileEqual(ref _generation, generation);
            generation = Volatile.Read(ref _generation);
            if (_disposed)
            {
                return;
            }

            // A run does not end before every share is claimed: who claims one of this generation sees its work.
            if (TryClaim(index + 1, generation))
            {
                Invoke(index + 1);
                if (Interlocked.Decrement(ref _unfinished) == 0)
                {
                    _finished.Open();
                }
            }
        }
    }

    private bool TryClaim(int thread, int generation) =>
        Interlocked.CompareExchange(ref _claims[thread * ClaimStride], generation, generation - 1) == generation - 1;

    private void Invoke(int thread)
    {
#pragma warning disable CA1031 // Whatever a share throws belongs to the caller of Run, after every other share has ended.
        try
        {
            _invoke(_work, thread, ThreadCount);
        }
        catch (Exception exception)
        {
            _failure ??= ExceptionDispatchInfo.Capture(exception);
        }
#pragma warning restore CA1031
    }
}
