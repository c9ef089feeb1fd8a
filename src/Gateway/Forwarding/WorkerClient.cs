using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;
using Serving.Policies.Placement;
using Serving.ServiceDefaults.Security;

namespace Serving.Gateway.Forwarding;

/// <summary>Speaks the internal completion API to decode workers. Failures are values: who asks decides what to do next.</summary>
internal sealed partial class WorkerClient(ClusterSecret secret, ILogger<WorkerClient> logger) : IDisposable
{
    private const int ErrorBytesMax = 64 << 10;

    private readonly HttpMessageInvoker _http = new(InternalHttp.CreateHandler(secret));

    /// <summary>Sends the request and waits for the first event, however long that takes.</summary>
    public async Task<LegResult> OpenAsync(CompletionRequest request, PhasePlacement placement, CancellationToken cancellationToken)
    {
        var worker = placement.Decode.Id;
        HttpResponseMessage? response = null;
        CompletionEventReader? events = null;
        try
        {
            using var message = Message(request, placement);
            response = await _http.SendAsync(message, cancellationToken);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                return Refused(await ReadErrorAsync(response, cancellationToken), placement);
            }

            events = new CompletionEventReader(await response.Content.ReadAsStreamAsync(cancellationToken));
            var first = await events.ReadAsync(cancellationToken);
            switch (first?.EventCase)
            {
                case CompletionEvent.EventOneofCase.Started:
                    var answer = new WorkerAnswer(response, events, first.Started);
                    (response, events) = (null, null);
                    return new LegResult(answer, null);
                case CompletionEvent.EventOneofCase.Error:
                    return Refused(first.Error, placement);
                default:
                    return Lost(worker, "its answer ended before it began", null);
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidDataException)
        {
            return Lost(worker, exception.Message, exception);
        }
        finally
        {
            events?.Dispose();
            response?.Dispose();
        }
    }

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Message(CompletionRequest request, PhasePlacement placement)
    {
        request.Prefill = placement.Prefill is { } prefill ? new PrefillPeer { WorkerId = prefill.Id, Address = prefill.Address } : null;
        var content = new ByteArrayContent(request.ToByteArray());
        content.Headers.ContentType = new MediaTypeHeaderValue(InternalApi.RequestContentType);
        return new HttpRequestMessage(HttpMethod.Post, placement.Decode.Address + InternalApi.CompletionsRoute)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
    }

    private static async Task<RequestError> ReadErrorAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentType?.MediaType == InternalApi.ErrorContentType)
        {
            await response.Content.LoadIntoBufferAsync(ErrorBytesMax, cancellationToken);
            try
            {
                return RequestError.Parser.ParseFrom(await response.Content.ReadAsByteArrayAsync(cancellationToken));
            }
            catch (InvalidProtocolBufferException exception)
            {
                throw new InvalidDataException("the error that it answered with cannot be read", exception);
            }
        }

        // 401 means that the worker has another cluster secret, 404 that it is no worker: neither is anything a client did.
        return new RequestError
        {
            Fault = Fault.Worker,
            Status = StatusCodes.Status502BadGateway,
            Code = "worker_refused",
            Message = $"The decode worker answered with status {(int)response.StatusCode}.",
        };
    }

    private static LegResult Refused(RequestError error, PhasePlacement placement) => new(null, ApiError.Of(error))
    {
        WorkerBlamed = error switch
        {
            { Fault: Fault.Peer } => placement.Prefill?.Id,
            { Fault: Fault.Worker, Status: >= 500 } => placement.Decode.Id,
            _ => null,
        },
    };

    private LegResult Lost(string worker, string reason, Exception? exception)
    {
        LogLost(logger, exception, worker, reason);
        var error = ApiError.Unavailable($"The decode worker {worker} is not there any more. Try again.");
        return new LegResult(null, error) { WorkerBlamed = worker, IsLost = true };
    }

    [LoggerMessage(10, LogLevel.Warning, "Decode worker {WorkerId} was lost before its first event: {Reason}")]
    private static partial void LogLost(ILogger logger, Exception? exception, string workerId, string reason);
}
