using System.Net;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Serving.Contracts.Internal;
using Serving.Gateway.Configuration;
using Serving.Gateway.Http;
using Yarp.ReverseProxy.Forwarder;

namespace Serving.Gateway.Forwarding;

/// <summary>Hands a placed request to YARP, which forwards it to the decode worker through <see cref="CompletionHandler"/>.</summary>
internal sealed class CompletionForwarder(IHttpForwarder yarp, CompletionHandler handler, IOptions<GatewayOptions> options) : IDisposable
{
    private static readonly CallTransformer _transformer = new();

    private readonly HttpMessageInvoker _invoker = new(handler);

    private readonly ForwarderRequestConfig _config = new()
    {
        ActivityTimeout = ActivityTimeout(options.Value),
        Version = HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        AllowResponseBuffering = false,
    };

    /// <summary>Answers the request. Whatever failed is in <see cref="CompletionCall.Failure"/> afterwards.</summary>
    public async Task ForwardAsync(HttpContext context, CompletionCall call)
    {
        context.Features.Set(call);
        context.Features.Set<IHttpRequestBodyDetectionFeature>(BodyAlreadyRead.Instance);
        var error = await yarp.SendAsync(context, call.Legs[0].Placement.Decode.Address, _invoker, _config, _transformer);
        if (error == ForwarderError.None || context.RequestAborted.IsCancellationRequested)
        {
            return;
        }

        call.Failure ??= error == ForwarderError.RequestTimedOut ? ApiError.WorkerSilent(_config.ActivityTimeout!.Value) : ApiError.Internal();
        await call.Failure.WriteAsync(context);
    }

    /// <summary>YARP's own 100 s would end long answers that are not streamed.</summary>
    internal static TimeSpan ActivityTimeout(GatewayOptions options) =>
        options.SilenceSecondsMax > 0 ? TimeSpan.FromSeconds(options.SilenceSecondsMax) : Timeout.InfiniteTimeSpan;

    public void Dispose() => _invoker.Dispose();

    /// <summary>Nothing of the client's own request goes on: workers get what the gateway has read from it, in the call.</summary>
    private sealed class CallTransformer : HttpTransformer
    {
        public override ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            proxyRequest.RequestUri = new Uri(destinationPrefix + InternalApi.CompletionsRoute);
            proxyRequest.Options.Set(CompletionHandler.Call, httpContext.Features.GetRequiredFeature<CompletionCall>());
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>Keeps YARP from copying a body that has been read to its end.</summary>
    private sealed class BodyAlreadyRead : IHttpRequestBodyDetectionFeature
    {
        public static BodyAlreadyRead Instance { get; } = new();

        public bool CanHaveBody => false;
    }
}
