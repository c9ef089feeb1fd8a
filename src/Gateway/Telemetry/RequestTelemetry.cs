using System.Diagnostics;
using System.Globalization;
using Serving.Gateway.Embeddings;
using Serving.Gateway.Forwarding;
using Serving.Gateway.Http;

namespace Serving.Gateway.Telemetry;

/// <summary>One log line and one set of measurements for each request. Neither ever holds what the client wrote but the model's name.</summary>
internal sealed partial class RequestTelemetry(GatewayMetrics metrics, TimeProvider time, ILogger<RequestTelemetry> logger)
{
    /// <summary>nginx's status of a request that nobody waits for any more.</summary>
    private const string ClientGone = "499";

    /// <summary>A request that reached no worker.</summary>
    public void Refused(string requestId, string operation, string? model, long arrivedAt, ApiError error)
    {
        // A name that is not served is whatever the client typed: as a label it would grow without bound.
        var served = error.Status == StatusCodes.Status503ServiceUnavailable ? model : null;
        var tags = Tags(operation, served, ErrorType(error));
        metrics.RecordDuration(time.GetElapsedTime(arrivedAt), tags);
        LogRefused(requestId, error.Status, error.Error.Code, error.Error.Param);
    }

    /// <summary>A request that was forwarded, however that went.</summary>
    public void Ended(CompletionCall call)
    {
        var duration = time.GetElapsedTime(call.ArrivedAt);
        var isComplete = call is { CompletionTokens: not null, Failure: null };
        var errorType = isComplete ? null : call.Failure is { } failure ? ErrorType(failure) : ClientGone;
        var tags = Tags(call.Origin.Operation, call.Model, errorType);
        if (call.Origin.IsWarmUp)
        {
            tags.Add("serving.warm_up", true);
        }

        metrics.RecordDuration(duration, tags);
        if (!isComplete)
        {
            LogIncomplete(call, duration);
            return;
        }

        var timeToFirstToken = time.GetElapsedTime(call.ArrivedAt, call.FirstTokenAt);
        metrics.RecordTokens(timeToFirstToken, duration, call.CompletionTokens!.Value, tags);
        var way = AnswerWay.Of(call);
        LogAnswered(
            call.Origin.IsWarmUp ? LogLevel.Debug : LogLevel.Information,
            call.Origin.RequestId,
            call.Model,
            way.PromptTokens,
            way.PrefillWorkers.Length > 0 ? way.PrefillWorkers : way.DecodeWorkers,
            call.CompletionTokens.Value,
            way.DecodeWorkers,
            timeToFirstToken.TotalMilliseconds,
            duration.TotalMilliseconds);
    }

    /// <summary>A request for embeddings that was answered.</summary>
    public void Embedded(string requestId, string model, int tokens, string worker, long arrivedAt)
    {
        var duration = time.GetElapsedTime(arrivedAt);
        metrics.RecordDuration(duration, Tags(EmbeddingPipeline.Operation, model, errorType: null));
        LogEmbedded(requestId, model, tokens, worker, duration.TotalMilliseconds);
    }

    /// <summary>A request for embeddings whose client has gone away.</summary>
    public void Left(string requestId, long arrivedAt)
    {
        var duration = time.GetElapsedTime(arrivedAt);
        metrics.RecordDuration(duration, Tags(EmbeddingPipeline.Operation, model: null, ClientGone));
        LogClientGone(requestId, ClientGone, duration.TotalMilliseconds);
    }

    private void LogIncomplete(CompletionCall call, TimeSpan duration)
    {
        if (call.Failure is { } failure)
        {
            LogFailed(call.Origin.RequestId, call.Model, failure.Status, failure.Error.Message, duration.TotalMilliseconds);
        }
        else
        {
            LogClientGone(call.Origin.RequestId, ClientGone, duration.TotalMilliseconds);
        }
    }

    private static TagList Tags(string operation, string? model, string? errorType)
    {
        var tags = new TagList { { "gen_ai.operation.name", operation }, { "gen_ai.provider.name", "serving" } };
        if (model is not null)
        {
            tags.Add("gen_ai.request.model", model);
        }

        if (errorType is not null)
        {
            tags.Add("error.type", errorType);
        }

        return tags;
    }

    private static string ErrorType(ApiError error) => error.Status.ToString(CultureInfo.InvariantCulture);

    [LoggerMessage(20, LogLevel.Information, "Request {RequestId} was refused with {Status} ({Code}, {Param})")]
    private partial void LogRefused(string requestId, int status, string? code, string? param);

    [LoggerMessage(
        EventId = 21,
        Message = "Request {RequestId} to {Model}: {PromptTokens} prompt tokens on {PrefillWorkerId}, {CompletionTokens} answer tokens on {DecodeWorkerId}, "
            + "first after {TtftMs:F1} ms, all after {DurationMs:F1} ms")]
    private partial void LogAnswered(
        LogLevel level,
        string requestId,
        string model,
        int promptTokens,
        string prefillWorkerId,
        int completionTokens,
        string decodeWorkerId,
        double ttftMs,
        double durationMs);

    [LoggerMessage(24, LogLevel.Information, "Request {RequestId} to {Model}: {Tokens} tokens embedded on {WorkerId} in {DurationMs:F1} ms")]
    private partial void LogEmbedded(string requestId, string model, int tokens, string workerId, double durationMs);

    [LoggerMessage(22, LogLevel.Warning, "Request {RequestId} to {Model} failed with {Status} after {DurationMs:F1} ms: {Reason}")]
    private partial void LogFailed(string requestId, string model, int status, string reason, double durationMs);

    [LoggerMessage(23, LogLevel.Debug, "Request {RequestId} ended with {Status}: the client went away after {DurationMs:F1} ms")]
    private partial void LogClientGone(string requestId, string status, double durationMs);
}
