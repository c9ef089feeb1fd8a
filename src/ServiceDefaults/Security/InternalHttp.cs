using System.Net;
using System.Net.Http.Headers;

namespace Serving.ServiceDefaults.Security;

/// <summary>How hosts call each other's internal APIs: HTTP/2 without TLS, with the cluster's token. Good for HttpClient, gRPC channels and YARP.</summary>
public static class InternalHttp
{
    /// <summary>A handler that adds the token to every request. Calls must ask for HTTP/2 exactly, as <see cref="CreateClient"/> and gRPC do.</summary>
    public static HttpMessageHandler CreateHandler(ClusterSecret secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        return new TokenHandler(secret.HttpToken, CreateSocketsHandler());
    }

    /// <summary>The handler beneath, without the token: nothing between two hosts is redirected, decompressed, proxied or remembered.</summary>
    public static SocketsHttpHandler CreateSocketsHandler() => new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        UseProxy = false,
        ConnectTimeout = TimeSpan.FromSeconds(2),
        EnableMultipleHttp2Connections = true,
        // A peer that vanished without a word is noticed within half a minute, also in the middle of a quiet stream.
        KeepAlivePingDelay = TimeSpan.FromSeconds(15),
        KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
    };

    /// <summary>A client for a host's internal API, without a time limit of its own: pass a token to each call.</summary>
    public static HttpClient CreateClient(ClusterSecret secret, Uri? address = null) => new(CreateHandler(secret))
    {
        BaseAddress = address,
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private sealed class TokenHandler(string token, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private readonly AuthenticationHeaderValue _authorization = new(InternalAuthentication.Scheme, token);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.Authorization = _authorization;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
