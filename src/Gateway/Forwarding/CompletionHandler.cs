using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Mime;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;
using Serving.Gateway.Placement;

namespace Serving.Gateway.Forwarding;

/// <summary>
/// What lies beneath YARP: it answers YARP's one request with one response, rendered for the client, whatever happens to the workers
/// behind it. It returns only after the first event, so an early failure keeps its status; a leg that fails before that is tried once more
/// elsewhere.
/// </summary>
internal sealed partial class CompletionHandler(WorkerClient workers, PhasePlacer placer, TimeProvider time, ILogger<CompletionHandler> logger)
    : HttpMessageHandler
{
    /// <summary>Where the request's call travels with the message.</summary>
    public static HttpRequestOptionsKey<CompletionCall> Call { get; } = new("serving.call");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!request.Options.TryGetValue(Call, out var call))
        {
            throw new InvalidOperationException("The request carries no call.");
        }

        var leg = await workers.OpenAsync(call.Request, call.Placement, cancellationToken);
        if (leg.WorkerBlamed is not null && await PlaceAgainAsync(call, leg, cancellationToken))
        {
            leg = await workers.OpenAsync(call.Request, call.Placement, cancellationToken);
        }

        if (leg.Answer is null)
        {
            call.Failure = leg.Error!;
            return Refuse(call.Failure, call.Failure.ToJson());
        }

        call.Answer = leg.Answer;
        call.FirstTokenAt = time.GetTimestamp();
        var pump = new AnswerPump(call, leg.Answer, time);
        var response = call.Renderer.IsStream ? Stream(call, pump) : await CollectAsync(call, pump, cancellationToken);
        AddHeaders(response.Headers, leg.Answer.Started);
        return response;
    }

    private async Task<bool> PlaceAgainAsync(CompletionCall call, LegResult<WorkerAnswer> leg, CancellationToken cancellationToken)
    {
        call.PlacementRequest = call.PlacementRequest with { ExcludedWorkers = [leg.WorkerBlamed!] };
        var placement = leg.IsLost
            ? await placer.PlaceAsync(call.PlacementRequest, cancellationToken)
            : placer.Place(call.PlacementRequest);
        if (placement is null)
        {
            return false;
        }

        LogRetried(logger, call.Request.RequestId, leg.WorkerBlamed!, placement.Decode.Id);
        call.Placement = placement;
        return true;
    }

    private HttpResponseMessage Stream(CompletionCall call, AnswerPump pump)
    {
        var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(new AnswerStream(pump, call, time)) };
        response.Content.Headers.ContentType = new MediaTypeHeaderValue(MediaTypeNames.Text.EventStream, "utf-8");
        response.Headers.CacheControl = new CacheControlHeaderValue { NoCache = true };
        // Proxies on the way must not collect the events either; nginx listens to this one.
        response.Headers.TryAddWithoutValidation("X-Accel-Buffering", "no");
        return response;
    }

    private static async Task<HttpResponseMessage> CollectAsync(CompletionCall call, AnswerPump pump, CancellationToken cancellationToken)
    {
        var body = new ArrayBufferWriter<byte>(1024);
        while (!pump.IsOver)
        {
            await pump.StepAsync(body, cancellationToken);
        }

        if (call.Failure is { } failure)
        {
            return Refuse(failure, body.WrittenSpan.ToArray());
        }

        await pump.CloseAsync(cancellationToken);
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = Json(body.WrittenSpan.ToArray()) };
    }

    private static HttpResponseMessage Refuse(ApiError error, byte[] body)
    {
        var response = new HttpResponseMessage((HttpStatusCode)error.Status) { Content = Json(body) };
        if (error.RetryAfterSeconds > 0)
        {
            response.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(error.RetryAfterSeconds));
        }

        return response;
    }

    private static ByteArrayContent Json(byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(MediaTypeNames.Application.Json);
        content.Headers.ContentLength = body.Length;
        return content;
    }

    private static void AddHeaders(HttpResponseHeaders headers, CompletionStarted started)
    {
        headers.TryAddWithoutValidation(ServingHeaders.DecodeWorker, started.DecodeWorker);
        if (started.PrefillWorker.Length > 0)
        {
            headers.TryAddWithoutValidation(ServingHeaders.PrefillWorker, started.PrefillWorker);
        }

        headers.TryAddWithoutValidation(ServingHeaders.KvBytes, started.KvBytesReceived.ToString(CultureInfo.InvariantCulture));
        headers.TryAddWithoutValidation(ServingHeaders.DecodePromptTokens, started.ComputedPromptTokens.ToString(CultureInfo.InvariantCulture));
    }

    [LoggerMessage(11, LogLevel.Warning, "Request {RequestId} failed on {FailedWorkerId} before its first token and goes to {WorkerId}")]
    private static partial void LogRetried(ILogger logger, string requestId, string failedWorkerId, string workerId);
}
