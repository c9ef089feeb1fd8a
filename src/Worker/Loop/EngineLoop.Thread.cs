using Serving.Engine.Execution;
using Serving.Engine.Sampling;
using Serving.Engine.Scheduling;

namespace Serving.Worker.Loop;

/// <content>The engine's thread. A steady state of decode steps allocates nothing here.</content>
public sealed partial class EngineLoop
{
    private readonly StepPlan _plan;
    private readonly StepSampler _sampler;
    private bool _loadHasChanged;

    internal void CountAdmitted(SequenceHandle handle)
    {
        _loadHasChanged = true;
        StopCountingAsWaiting(handle);
    }

    internal void CountGeneratedToken() => _counters.AddGeneratedToken();

    internal void CountCachedPromptTokens(int tokens) => _counters.AddCachedPromptTokens(tokens);

    internal void CountComputedPromptTokens(int tokens) => _counters.AddComputedPromptTokens(tokens);

    internal void CountFinished(SequenceHandle handle)
    {
        _loadHasChanged = true;
        StopCountingAsWaiting(handle);
        PublishCounters();
    }

    /// <summary>Called before a caller is told of blocks taken or freed, so that he finds them so in the snapshot too.</summary>
    internal void PublishCounters() => _counters.Publish(_scheduler, _pool);

    private void Run()
    {
        try
        {
            while (!HasEnded())
            {
                // Counted before: what is signalled by now was submitted before that, so the scheduler knows it when it is asked to act.
                var signals = _signalled.Count;
                TakeSubmissions();
                TakeSignals(signals);
                _scheduler.ExpireDeadlines(_time.GetTimestamp());
                var hasRun = RunStep();
                Publish();
                if (!hasRun)
                {
                    Park();
                }
            }
        }
        catch (Exception exception)
        {
            LogEngineFailed(_logger, exception, _executor.Model.Name);
            _hasFailed = true;
        }

        End();
    }

    private bool HasEnded() => _isAborting || (_isStopping && _scheduler.SequenceCount == 0 && _inbox.Reader.Count == 0);

    private void Park()
    {
        if (_scheduler.SequenceCount == 0)
        {
            _scheduler.CheckIntegrity();
        }

        if (!HasEnded())
        {
            _doorbell.Wait(UntilNextDeadline());
        }
    }

    private TimeSpan UntilNextDeadline()
    {
        var deadline = _scheduler.NextDeadline();
        var now = _time.GetTimestamp();
        return deadline == Sequence.NoDeadline ? Timeout.InfiniteTimeSpan
            : deadline <= now ? TimeSpan.Zero
            : _time.GetElapsedTime(now, deadline) + TimeSpan.FromMilliseconds(1);
    }

    private void TakeSubmissions()
    {
        while (_inbox.Reader.TryRead(out var handle))
        {
            _loadHasChanged = true;
            _scheduler.Enqueue(handle.Sequence);
        }
    }

    /// <param name="most">Bounded, so that callers cannot keep the engine from its steps.</param>
    private void TakeSignals(int most)
    {
        for (; most > 0 && _signalled.TryDequeue(out var handle); most--)
        {
            _loadHasChanged = true;
            Obey(handle, handle.TakeSignals());
        }
    }

    private void Obey(SequenceHandle handle, SequenceSignals signals)
    {
        var sequence = handle.Sequence;
        if (signals.HasFlag(SequenceSignals.Cancel))
        {
            _scheduler.Cancel(sequence);
        }

        if (signals.HasFlag(SequenceSignals.RemoteKvCompleted))
        {
            handle.MarkRemoteKvEnded();
            _scheduler.CompleteRemoteKv(sequence, handle.RemoteComputedTokens);
        }

        if (signals.HasFlag(SequenceSignals.RemoteKvFailed))
        {
            handle.MarkRemoteKvEnded();
            _scheduler.FailRemoteKv(sequence);
        }

        if (signals.HasFlag(SequenceSignals.Release))
        {
            _scheduler.Release(sequence);
        }
    }

    /// <returns>Whether there was anything to compute.</returns>
    private bool RunStep()
    {
        _scheduler.FillStep(_plan);
        if (_plan.RowCount == 0)
        {
            return false;
        }

        _counters.AddStep();
        var begin = _time.GetTimestamp();
        try
        {
            _executor.Execute(_plan);
        }
        catch (Exception exception)
        {
            LogStepFailed(_logger, exception, _plan.SequenceCount, _plan.RowCount);
            FailStep($"The model failed in a step ({exception.GetType().Name}: {exception.Message}).");
            return true;
        }

        _scheduler.ObserveStep(_time.GetElapsedTime(begin));
        _sampler.Run(_scheduler, _plan);
        for (var i = 0; i < _scheduler.Scheduled.Length; i++)
        {
            Commit(i, _scheduler.Scheduled[i]);
        }

        return true;
    }

    private void Commit(int index, in ScheduledSequence scheduled)
    {
        for (var row = 0; TryGetToken(index, scheduled, row, out var token) && _scheduler.Commit(scheduled, row, token);)
        {
            row++;
        }
    }

    private bool TryGetToken(int index, in ScheduledSequence scheduled, int row, out int token)
    {
        token = -1;
        if (scheduled.LogitsIndex < 0)
        {
            return true;
        }

        var sequence = scheduled.Sequence;
        if (!_sampler.TryGetToken(index, scheduled, row, out token))
        {
            LogBrokenLogits(_logger, HandleOf(sequence).RequestId, sequence.TokenCount);
            Fail(sequence, sequence.Constraint is null
                ? "The model gave logits that are not finite numbers."
                : "No token that the answer's constraint admits has a finite logit.");
            return false;
        }

        // Masks look at one place after the other; a token may lead to more of them than a matcher follows.
        if (sequence.Constraint?.Matcher.CountAllowed([token]) == 0)
        {
            Fail(sequence, "The answer's constraint is too ambiguous to be followed any further.");
            return false;
        }

        return true;
    }

    private void FailStep(string error)
    {
        foreach (ref readonly var scheduled in _scheduler.Scheduled)
        {
            Fail(scheduled.Sequence, error);
        }
    }

    private void Fail(Sequence sequence, string error)
    {
        HandleOf(sequence).Error = error;
        _scheduler.Finish(sequence, SequenceState.FinishedFailed);
    }

    private void Publish()
    {
        PublishCounters();
        if (!_loadHasChanged)
        {
            return;
        }

        _loadHasChanged = false;
        try
        {
            LoadChanged?.Invoke();
        }
        catch (Exception exception)
        {
            LogLoadListenerFailed(_logger, exception);
        }
    }

    private void End()
    {
        _inbox.Writer.TryComplete();
        TakeSubmissions();
        _scheduler.FailAll();
        _scheduler.CheckIntegrity();
        Publish();
        LogStopped(_logger, _executor.Model.Name);
        _stopped.SetResult();
    }

    private void StopCountingAsWaiting(SequenceHandle handle)
    {
        if (handle.IsCountedAsWaiting)
        {
            handle.IsCountedAsWaiting = false;
            _waitingRoom.Leave(handle.Sequence.Tenant);
        }
    }

    private static SequenceHandle HandleOf(Sequence sequence) => (SequenceHandle)sequence.Observer;
}
