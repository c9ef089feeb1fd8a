namespace Serving.TestKit;

/// <summary>Keeps tasks until it is told to run them, on the caller's thread.</summary>
public sealed class HeldTaskScheduler : TaskScheduler
{
    private readonly Queue<Task> _tasks = new();

    /// <summary>Runs what is there and what that adds.</summary>
    /// <returns>Whether there was anything.</returns>
    public bool RunAll()
    {
        var hasRun = false;
        while (TryTake() is { } task)
        {
            TryExecuteTask(task);
            hasRun = true;
        }

        return hasRun;
    }

    protected override void QueueTask(Task task)
    {
        lock (_tasks)
        {
            _tasks.Enqueue(task);
        }
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks()
    {
        lock (_tasks)
        {
            return [.. _tasks];
        }
    }

    private Task? TryTake()
    {
        lock (_tasks)
        {
            return _tasks.TryDequeue(out var task) ? task : null;
        }
    }
}
