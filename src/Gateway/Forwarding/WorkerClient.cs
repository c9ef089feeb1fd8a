using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.Gateway.Http;
using Serving.Policies.Placement;
using Serving.ServiceDefaults.Security;

namespace Serving.Gateway.Forwarding;

/// <summary>Speaks the internal API to workers. Failures are values: who asks decides what to do next.</summary>
internal sealed partial class WorkerClient(ClusterSecret secret, ILogger<WorkerClient> logger) : IDisposable
{
    private const int ErrorBytesMax = 64 << 10;

    /// <summary>Above what the largest body that a client may send can be answered with.</summary>
    private const int ResponseBytesMax = 64 << 20;

    private readonly HttpMessageInvoker _http = new(InternalHttp.CreateHandler(secret));

    /// <summary>Sends the request and waits for the first event, however long that takes.</summary>
    public async Task<LegResult<WorkerAnswer>> OpenAsync(CompletionRequest request, PhasePlacement placement, CancellationToken cancellationToken)
    {
        request.Prefill = placement.Prefill is { } prefill ? new PrefillPeer { WorkerId = prefill.Id, Address = prefill.Address } : null;
        HttpResponseMessage? response = null;
        CompletionEventReader? events = null;
        try
        {
            using var message = Message(InternalApi.CompletionsRoute, request, placement.Decode);
            response = await _http.SendAsync(message, cancellationToken);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                return Refused<WorkerAnswer>(await ReadErrorAsync(response, cancellationToken), placement.Decode, placement.Prefill);
            }

            events = new CompletionEventReader(await response.Content.ReadAsStreamAsync(cancellationToken));
            var first = await events.ReadAsync(cancellationToken);
            switch (first?.EventCase)
            {
                case CompletionEvent.EventOneofCase.Started:
                    var answer = new WorkerAnswer(response, events, first.Started);
                    (response, events) = (null, null);
                    return new LegResult<WorkerAnswer>(answer, null);
                case CompletionEvent.EventOneofCase.Error:
                    return Refused<WorkerAnswer>(first.Error, placement.Decode, placement.Prefill);
                default:
                    return Lost<WorkerAnswer>(placement.Decode, "its answer ended before it began", null);
            }
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidDataException)
        {
            return Lost<WorkerAnswer>(placement.Decode, exception.Message, exception);
        }
        finally
        {
            events?.Dispose();
            response?.Dispose();
        }
    }

    /// <summary>Sends a request whose answer is one message.</summary>
    /// <param name="route">One of <see cref="InternalApi"/>'s.</param>
    public async Task<LegResult<TAnswer>> AskAsync<TAnswer>(
        string route, IMessage request, MessageParser<TAnswer> parser, WorkerRegistration worker, CancellationToken cancellationToken)
        where TAnswer : class, IMessage<TAnswer>
    {
        try
        {
            using var message = Message(route, request, worker);
            using var response = await _http.SendAsync(message, cancellationToken);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                return Refused<TAnswer>(await ReadErrorAsync(response, cancellationToken), worker);
            }

            return new LegResult<TAnswer>(await ReadAsync(response, parser, ResponseBytesMax, cancellationToken), null);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidDataException)
        {
            return Lost<TAnswer>(worker, exception.Message, exception);
        }
    }

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage Message(string route, IMessage request, WorkerRegistration worker)
    {
        var content = new ByteArrayContent(request.ToByteArray());
        content.Headers.ContentType = new MediaTypeHeaderValue(InternalApi.RequestContentType);
        return new HttpRequestMessage(HttpMethod.Post, worker.Address + route)
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
            return await ReadAsync(response, RequestError.Parser, ErrorBytesMax, cancellationToken);
        }

        // 401 means that the worker has another cluster secret, 404 that it is no worker: neither is anything a client did.
        return new RequestError
        {
            Fault = Fault.Worker,
            Status = StatusCodes.Status502BadGateway,
            Code = "worker_refused",
            Message = $"The worker answered with status {(int)response.StatusCode}.",
        };
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, MessageParser<T> parser, int bytesMax, CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        await response.Content.LoadIntoBufferAsync(bytesMax, cancellationToken);
        try
        {
            return parser.ParseFrom(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new InvalidDataException($"what it answered is no {typeof(T).Name}", exception);
        }
    }

    private static LegResult<TAnswer> Refused<TAnswer>(RequestError error, WorkerRegistration worker, WorkerRegistration? peer = null)
        where TAnswer : class =>
        new(null, ApiError.Of(error))
        {
            WorkerBlamed = error switch
            {
                { Fault: Fault.Peer } => peer?.Id,
                { Fault: Fault.Worker, Status: >= 500 } => worker.Id,
                _ => null,
            },
        };

    private LegResult<TAnswer> Lost<TAnswer>(WorkerRegistration worker, string reason, Exception? exception)
        where TAnswer : class
    {
        LogLost(logger, exception, worker.Id, reason);
        var error = ApiError.Unavailable($"The worker {worker.Id} is not there any more. Try again.", code: ApiError.WorkerLostCode);
        return new LegResult<TAnswer>(null, error) { WorkerBlamed = worker.Id, IsLost = true };
    }

    [LoggerMessage(10, LogLevel.Warning, "Worker {WorkerId} was lost before it answered: {Reason}")]
    private static partial void LogLost(ILogger logger, Exception? exception, string workerId, string reason);
}
