using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Serving.Engine;
using Serving.Engine.Execution;
using Serving.Engine.Kernels;
using Serving.Engine.KvCache;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;

namespace Serving.Worker.Loop;

/// <summary>
/// Runs one model executor on one thread of its own. Callers submit sequences and read their outputs; nothing else is shared. The thread
/// parks when there is nothing to compute and never waits for a caller.
/// <para>
/// Bounds: sequences that wait by <see cref="SchedulerOptions.WaitingSequencesMax"/>, those that run by blocks and
/// <see cref="SchedulerOptions.RunningSequencesMax"/>, outputs of a sequence by its longest answer, signals by one entry a sequence.
/// </para>
/// </summary>
public sealed partial class EngineLoop : IAsyncDisposable
{
    private static readonly TimeSpan _timeoutMax = TimeSpan.FromDays(1);

    private readonly IModelExecutor _executor;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly KvBlockPool _pool;
    private readonly Scheduler _scheduler;
    private readonly EngineCounters _counters = new();
    private readonly Channel<SequenceHandle> _inbox;
    private readonly ConcurrentQueue<SequenceHandle> _signalled = new();
    private readonly Doorbell _doorbell = new();
    private readonly MaskQueue _masks;
    private readonly WaitingRoom _waitingRoom = new();
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly bool _cachesPrefixes;

    private long _lastId;
    private volatile bool _isStopping;
    private volatile bool _isAborting;
    private volatile bool _hasFailed;

    /// <param name="executor">Used by the loop's thread only; the caller disposes of it after the loop has stopped.</param>
    /// <param name="pool">Threads that help to sample; null: the loop's thread does it alone.</param>
    public EngineLoop(IModelExecutor executor, EngineLoopOptions options, TimeProvider time, ILogger logger, ComputePool? pool = null)
    {
        var scheduling = options.Scheduling;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(scheduling.BatchTokensMax, executor.StepRowsMax);

        _executor = executor;
        _cachesPrefixes = scheduling.PrefixCache;
        _time = time;
        _logger = logger;
        _pool = new KvBlockPool(executor.KvBlockCount);
        var limits = new AdmissionLimits(
            executor.Model.ContextLength,
            executor.KvLayout.TokensIn(executor.KvBlockCount),
            scheduling.WaitingSequencesMax,
            executor.Model.VocabularySize)
        {
            WaitingSequencesPerTenantMax = scheduling.WaitingSequencesPerTenantMax,
        };
        _scheduler = new Scheduler(_pool, executor.KvLayout, limits, scheduling, executor.CopyBlock);
        _plan = new StepPlan(scheduling.BatchTokensMax, scheduling.RunningSequencesMax, executor.Model.VocabularySize, scheduling.DraftsMax);
        _sampler = new StepSampler(executor.Model.VocabularySize, scheduling.RunningSequencesMax, pool);
        _masks = new MaskQueue(_doorbell.Ring);
        _inbox = Channel.CreateBounded<SequenceHandle>(new BoundedChannelOptions(scheduling.WaitingSequencesMax)
        {
            SingleReader = true,
            FullMode = BoundedChannelFullMode.Wait, // TryWrite refuses when full.
        });

        LogStarted(
            logger, executor.Model.Name, executor.KvBlockCount, executor.KvLayout.BlockSize, scheduling.BatchTokensMax, scheduling.RunningSequencesMax);
        new Thread(Run) { IsBackground = true, Name = options.ThreadName }.Start();
    }

    /// <summary>Raised on the engine's thread after sequences came, were admitted or ended. Must return at once.</summary>
    public event Action? LoadChanged;

    /// <summary>What any sequence has to keep to.</summary>
    public AdmissionLimits Limits => _scheduler.Limits;

    /// <summary>What the engine is doing; any thread may ask at any time.</summary>
    public EngineSnapshot Snapshot => _counters.Read(_inbox.Reader.Count, _pool.BlockCount);

    /// <summary>Whether a bug has ended the engine: nothing is accepted any more, and only a new process helps.</summary>
    public bool HasFailed => _hasFailed;

    /// <summary>Hands a sequence to the engine, or says why it is not taken. Any thread may call; none is made to wait.</summary>
    public SubmitResult Submit(SequenceRequest request)
    {
        var prompt = request.PromptTokens;
        ArgumentOutOfRangeException.ThrowIfZero(prompt.Length, nameof(request.PromptTokens));
        ArgumentOutOfRangeException.ThrowIfLessThan(request.MaxTokens ?? 1, 1, nameof(request.MaxTokens));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(request.Timeout ?? default, _timeoutMax, nameof(request.Timeout));
        request.Sampling.ThrowIfInvalid(Limits.VocabularySize);
        if (_isStopping || _hasFailed)
        {
            return RefuseAsEnded();
        }

        var (waiting, waitingOfTenant) = _waitingRoom.Enter(request.Tenant);
        if (Limits.Examine(prompt.Span, request.Work, waiting, request.Tenant.Length > 0 ? waitingOfTenant : 0) is { } refusal)
        {
            _waitingRoom.Leave(request.Tenant);
            return new SubmitResult(null, refusal);
        }

        var handle = new SequenceHandle(this, NextSequence, request, _time);
        if (handle.Sequence.Parent is { } parent && !handle.Sequence.CanShareBlocksWith(parent))
        {
            _waitingRoom.Leave(request.Tenant);
            throw new ArgumentException("A sequence can fork only from one with the same prompt and cache salt.", nameof(request));
        }

        if (!_inbox.Writer.TryWrite(handle))
        {
            // The count above keeps the inbox from filling up, so it has been closed.
            _waitingRoom.Leave(request.Tenant);
            return RefuseAsEnded();
        }

        if (request.Grammar is { IsCompleted: false } grammar)
        {
            grammar.GetAwaiter().UnsafeOnCompleted(_doorbell.Ring);
        }

        _doorbell.Ring();
        return new SubmitResult(handle, null);
    }

    /// <summary>
    /// Takes no more sequences and returns once those that were taken have ended and nobody uses their blocks.
    /// </summary>
    /// <param name="abort">When it is cancelled, every sequence fails at once, also where others still use the blocks.</param>
    public async Task StopAsync(CancellationToken abort)
    {
        _inbox.Writer.TryComplete();
        _isStopping = true;
        _doorbell.Ring();
        using (abort.UnsafeRegister(static self => ((EngineLoop)self!).Abort(), this))
        {
            await _stopped.Task;
        }
    }

    /// <summary>Stops without waiting for sequences.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(new CancellationToken(canceled: true));

    internal void Signal(SequenceHandle handle)
    {
        _signalled.Enqueue(handle);
        _doorbell.Ring();
    }

    private Sequence NextSequence(SequenceRequest request, ISequenceObserver observer) => new(
        new SequenceId(Interlocked.Increment(ref _lastId)),
        request.PromptTokens.Span,
        request.Work,
        Limits.TokensMax(request.PromptTokens.Length, request.Work, request.MaxTokens),
        request.Sampling,
        request.EndTokens,
        _executor.KvLayout,
        observer,
        _cachesPrefixes && request.Work != SequenceWork.Embed ? BlockIdentity.Root(_executor.Model.KvFingerprint, request.CacheSalt) : default)
    {
        HiddenSum = request.Work == SequenceWork.Embed ? new float[_executor.Model.Width] : null,
        Tenant = request.Tenant,
        Priority = request.Priority,
        Parent = request.ForkOf?.Sequence,
        Constraint = request.Grammar is { } grammar ? new AnswerConstraint(grammar, request.EndTokens, _masks) : null,
        Deadline = request.Timeout is { } timeout
            ? _time.GetTimestamp() + (long)(timeout.TotalSeconds * _time.TimestampFrequency)
            : Sequence.NoDeadline,
    };

    private void Abort()
    {
        _isAborting = true;
        _doorbell.Ring();
    }

    private SubmitResult RefuseAsEnded() => new(null, _hasFailed
        ? new Refusal(RefusalReason.EngineFailed, "The worker's engine has failed and takes no more work.")
        : new Refusal(RefusalReason.Stopping, "The worker is stopping and takes no more work."));
}
