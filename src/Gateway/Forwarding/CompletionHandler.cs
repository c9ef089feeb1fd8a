using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Mime;
using Microsoft.Extensions.Options;
using Serving.Contracts.Internal;
using Serving.Gateway.Configuration;
using Serving.Gateway.Http;

namespace Serving.Gateway.Forwarding;

/// <summary>
/// What lies beneath YARP: it answers YARP's one request with one response, rendered for the client, whatever happens to the workers
/// behind it. It returns only after the first event, so an early failure keeps its status; a stream whose first event is late begins without it.
/// </summary>
internal sealed class CompletionHandler(AnswerOpener opener, IOptions<GatewayOptions> options, TimeProvider time) : HttpMessageHandler
{
    private readonly SilenceLimits _limits = SilenceLimits.Of(options.Value);

    /// <summary>Where the request's call travels with the message.</summary>
    public static HttpRequestOptionsKey<CompletionCall> Call { get; } = new("serving.call");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!request.Options.TryGetValue(Call, out var call))
        {
            throw new InvalidOperationException("The request carries no call.");
        }

        return call.Renderer.IsStream ? await StreamAsync(call, cancellationToken) : await CollectAsync(call, await opener.OpenAsync(call, cancellationToken), cancellationToken);
    }

    private async Task<HttpResponseMessage> StreamAsync(CompletionCall call, CancellationToken cancellationToken)
    {
        var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var opening = opener.OpenAsync(call, stop.Token);
        await ((Task)opening).WaitAsync(_limits.KeepAlive, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!opening.IsCompleted)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
        else if (await opening is null)
        {
            stop.Dispose();
            return Refuse(call);
        }

        var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(new AnswerStream(opening, call, stop, _limits, time)) };
        response.Content.Headers.ContentType = new MediaTypeHeaderValue(MediaTypeNames.Text.EventStream, "utf-8");
        response.Headers.CacheControl = new CacheControlHeaderValue { NoCache = true };
        // Proxies on the way must not collect the events either; nginx listens to this one.
        response.Headers.TryAddWithoutValidation("X-Accel-Buffering", "no");
        if (opening.IsCompleted)
        {
            AddHeaders(response.Headers, AnswerWay.Of(call));
        }

        return response;
    }

    private static HttpResponseMessage Refuse(CompletionCall call) => Refuse(call.Failure!, call.Origin.ErrorBody(call.Failure!));

    private static async Task<HttpResponseMessage> CollectAsync(CompletionCall call, AnswerPump? pump, CancellationToken cancellationToken)
    {
        if (pump is null)
        {
            return Refuse(call);
        }

        var body = new ArrayBufferWriter<byte>(1024);
        await pump.CollectAsync(body, cancellationToken);
        if (call.Failure is { } failure)
        {
            return Refuse(failure, body.WrittenSpan.ToArray());
        }

        var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = Json(body.WrittenSpan.ToArray()) };
        AddHeaders(response.Headers, AnswerWay.Of(call));
        return response;
    }

    private static HttpResponseMessage Refuse(ApiError error, byte[] body)
    {
        var response = new HttpResponseMessage((HttpStatusCode)error.Status) { Content = Json(body) };
        foreach (var (name, value) in error.Headers())
        {
            response.Headers.TryAddWithoutValidation(name, value);
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

    private static void AddHeaders(HttpResponseHeaders headers, AnswerWay way)
    {
        headers.TryAddWithoutValidation(ServingHeaders.DecodeWorker, way.DecodeWorkers);
        if (way.PrefillWorkers.Length > 0)
        {
            headers.TryAddWithoutValidation(ServingHeaders.PrefillWorker, way.PrefillWorkers);
        }

        headers.TryAddWithoutValidation(ServingHeaders.KvBytes, way.KvBytes.ToString(CultureInfo.InvariantCulture));
        headers.TryAddWithoutValidation(ServingHeaders.DecodePromptTokens, way.ComputedPromptTokens.ToString(CultureInfo.InvariantCulture));
    }
}
