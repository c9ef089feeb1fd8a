using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Swashbuckle.AspNetCore.SwaggerUI;

namespace Serving.Gateway.OpenApi;

/// <summary><c>GET /openapi.json</c>, and at <c>/docs</c> a page that shows it (Swagger UI, which comes with its package: nothing of it is fetched from elsewhere).</summary>
internal static class OpenApiApi
{
    public const string DocumentPath = "/openapi.json";
    public const string PagePath = "/docs";

    /// <summary>The page has its styles, and pictures in them, inside; all else comes from here.</summary>
    private const string PagePolicy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

    private static readonly Lazy<EntityTagHeaderValue> _tag = new(() => new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(OpenApiDocument.Json))[..16]}\""));

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(DocumentPath, Get);
        routes.MapSwaggerUI(PagePath[1..], Configure).ExcludeFromDescription().Add(HoldToPolicy);
        routes.MapGet("/", () => TypedResults.Redirect(PagePath)).ExcludeFromDescription();
    }

    private static FileContentHttpResult Get() => TypedResults.Bytes(OpenApiDocument.Json, "application/json", entityTag: _tag.Value);

    private static void Configure(SwaggerUIOptions page)
    {
        page.DocumentTitle = "Serving";
        page.SwaggerEndpoint(DocumentPath, "Serving");
        page.EnableDeepLinking();
        page.DisplayRequestDuration();
        page.DefaultModelExpandDepth(2);
        page.DefaultModelsExpandDepth(-1);
    }

    private static void HoldToPolicy(EndpointBuilder endpoint)
    {
        var show = endpoint.RequestDelegate!;
        endpoint.RequestDelegate = context =>
        {
            context.Response.Headers.ContentSecurityPolicy = PagePolicy;
            return show(context);
        };
    }
}
