using Microsoft.Extensions.Options;
using Serving.Contracts.OpenAI;
using Serving.Gateway.Configuration;
using Serving.Gateway.Http;
using Serving.Gateway.OpenApi;

namespace Serving.Gateway.Security;

/// <summary>
/// Decides who may use the API. With API keys: whoever presents one. Without (loopback only): every program of this machine, but no web
/// page in its browser. A page whose name was re-bound to 127.0.0.1 is known by its <c>Host</c>, any other page by its <c>Origin</c>.
/// </summary>
internal sealed class AccessMiddleware(RequestDelegate next, IOptions<GatewayOptions> options, ApiKeys keys, WarmUpToken warmUp)
{
    private readonly HashSet<string> _origins = new(options.Value.CorsOrigins, StringComparer.OrdinalIgnoreCase);

    public Task InvokeAsync(HttpContext context)
    {
        var refusal = keys.Any ? CheckKey(context) : CheckLocal(context);
        return refusal is null ? next(context) : refusal.WriteAsync(context);
    }

    private ApiError? CheckKey(HttpContext context)
    {
        if (IsOpen(context.Request.Path) || warmUp.IsIn(context.Request))
        {
            return null;
        }

        if (SentKey(context.Request) is not { } sent)
        {
            return Unauthorized("No API key was sent: send it in the header Authorization: Bearer <key>, or in x-api-key.");
        }

        if (keys.TenantOf(sent) is not { } tenant)
        {
            return Unauthorized("The API key is not known here: check the header Authorization: Bearer <key>, or x-api-key.");
        }

        context.Features.Set(tenant);
        return null;
    }

    /// <summary>The key as OpenAI's clients send it, or as Anthropic's do; null: none was sent.</summary>
    private static string? SentKey(HttpRequest request)
    {
        const string scheme = "Bearer ";
        var authorization = request.Headers.Authorization.ToString();
        if (authorization.Length == 0)
        {
            return request.Headers.TryGetValue("x-api-key", out var key) ? key.ToString() : null;
        }

        return authorization.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? authorization[scheme.Length..].Trim() : "";
    }

    private ApiError? CheckLocal(HttpContext context)
    {
        var host = context.Request.Host;
        if (host.Host is not ("localhost" or "127.0.0.1" or "[::1]") || (host.Port ?? 80) != context.Connection.LocalPort)
        {
            return Forbidden(
                "host_not_allowed",
                $"This port has no API key, so it answers to localhost, 127.0.0.1 and [::1] on port {context.Connection.LocalPort} only, "
                + "and the Host header names something else.");
        }

        if (!context.Request.Headers.TryGetValue("Origin", out var origin)
            || origin == $"http://{host.Value}"
            || _origins.Contains(origin.ToString()))
        {
            return null;
        }

        return Forbidden(
            "origin_not_allowed",
            "This port has no API key, so web pages may not use it. To open it to one, add the page's origin to Gateway:CorsOrigins "
            + "(serving up --cors-origin).");
    }

    /// <summary>Whether what a path shows is the same for everybody and no secret: probes, and what describes the API.</summary>
    private static bool IsOpen(PathString path) =>
        path == "/health" || path == "/ready" || path == "/" || path == OpenApiApi.DocumentPath || path.StartsWithSegments(OpenApiApi.PagePath, StringComparison.Ordinal);

    private static ApiError Forbidden(string code, string message) =>
        new(StatusCodes.Status403Forbidden, new OpenAiError(message, OpenAiErrorType.InvalidRequest, null, code));

    private static ApiError Unauthorized(string message) =>
        new(StatusCodes.Status401Unauthorized, new OpenAiError(message, OpenAiErrorType.InvalidRequest, null, "invalid_api_key"));
}
