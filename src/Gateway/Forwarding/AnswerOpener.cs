using Serving.Gateway.Http;
using Serving.Gateway.Placement;

namespace Serving.Gateway.Forwarding;

/// <summary>Sends a call's prompts to their workers. An attempt that fails before its first event is made once more elsewhere.</summary>
internal sealed partial class AnswerOpener(WorkerClient workers, PhasePlacer placer, TimeProvider time, ILogger<AnswerOpener> logger)
{
    /// <summary>Waits for the call's first event, however long that takes.</summary>
    /// <returns>What renders the answer; null: the call has failed before.</returns>
    public async Task<AnswerPump?> OpenAsync(CompletionCall call, CancellationToken cancellationToken)
    {
        if (call.Legs is [var only])
        {
            call.Failure = await OpenAsync(only, cancellationToken);
            call.Events = call.Failure is null ? new SingleAnswer(only) : null;
        }
        else
        {
            var merged = new MergedAnswers(call.Legs, OpenAsync);
            call.Events = merged;
            call.Failure = await merged.BeginAsync(cancellationToken);
        }

        if (call.Failure is not null)
        {
            return null;
        }

        call.FirstTokenAt = time.GetTimestamp();
        return new AnswerPump(call, call.Events!, time);
    }

    private async Task<ApiError?> OpenAsync(PromptLeg leg, CancellationToken cancellationToken)
    {
        var result = await workers.OpenAsync(leg.Request, leg.Placement, cancellationToken);
        if (result.WorkerBlamed is not null && await PlaceAgainAsync(leg, result, cancellationToken))
        {
            result = await workers.OpenAsync(leg.Request, leg.Placement, cancellationToken);
        }

        leg.Answer = result.Answer;
        return result.Error;
    }

    private async Task<bool> PlaceAgainAsync(PromptLeg leg, LegResult<WorkerAnswer> result, CancellationToken cancellationToken)
    {
        leg.PlacementRequest = leg.PlacementRequest with { ExcludedWorkers = [result.WorkerBlamed!] };
        var placement = result.IsLost
            ? await placer.PlaceAsync(leg.PlacementRequest, cancellationToken)
            : placer.Place(leg.PlacementRequest);
        if (placement is null)
        {
            return false;
        }

        LogRetried(logger, leg.Request.RequestId, result.WorkerBlamed!, placement.Decode.Id);
        leg.Placement = placement;
        return true;
    }

    [LoggerMessage(11, LogLevel.Warning, "Request {RequestId} failed on {FailedWorkerId} before its first token and goes to {WorkerId}")]
    private static partial void LogRetried(ILogger logger, string requestId, string failedWorkerId, string workerId);
}
