using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Serving.Gateway.OpenApi;
using Serving.Gateway.Tests.Support;
using OpenApiReader = Microsoft.OpenApi.OpenApiDocument;

namespace Serving.Gateway.Tests.OpenApi;

public sealed class DocumentTests : IDisposable
{
    /// <summary>The program maps it, where the document's other routes are the gateway's own.</summary>
    private const string Metrics = "GET /metrics";

    private readonly string _keyFile = Path.GetTempFileName();

    public void Dispose() => File.Delete(_keyFile);

    [Fact]
    public async Task Every_route_is_in_the_document_and_every_operation_of_it_has_a_route()
    {
        await using var gateway = await TestGateway.StartAsync(new FakeClusterView());
        var mapped =
            from endpoint in gateway.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            where endpoint.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is not { ExcludeFromDescription: true }
            from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods
            select $"{method} /{endpoint.RoutePattern.RawText!.Trim('/').Replace("{**", "{")}";

        Assert.Equal(mapped.Append(Metrics).Order(), Documented.Operations.Select(operation => $"{operation.Method} {operation.Path}").Order());
    }

    [Fact]
    public void It_is_valid_OpenAPI_and_says_the_products_version()
    {
        var (document, diagnostic) = OpenApiReader.Parse(Encoding.UTF8.GetString(OpenApiDocument.Json), "json");

        Assert.Empty(diagnostic!.Errors.Concat(diagnostic.Warnings).Select(error => error.ToString()));
        Assert.Equal(Microsoft.OpenApi.OpenApiSpecVersion.OpenApi3_1, diagnostic.SpecificationVersion);
        Assert.Equal(typeof(OpenApiDocument).Assembly.GetName().Version!.ToString(3), document!.Info.Version);
    }

    [Fact]
    public void A_reference_leads_somewhere_and_a_part_is_used_and_an_operation_has_a_name_of_its_own()
    {
        var references = References(Documented.Root).Distinct().ToList();
        var parts =
            from kind in Documented.Root["components"]!.AsObject()
            where kind.Key != "securitySchemes"
            from part in kind.Value!.AsObject()
            select $"#/components/{kind.Key}/{part.Key}";
        var names = Documented.Operations.Select(operation => (string)operation.Json["operationId"]!).ToList();

        Assert.Equal(parts.Order(), references.Order());
        Assert.Equal(names.Distinct(), names);
    }

    [Fact]
    public async Task It_is_served_to_everybody_with_a_tag()
    {
        await using var gateway = await WithKeyAsync();

        using var first = await gateway.SendAsync(HttpMethod.Get, "/openapi.json");
        using var second = await gateway.SendAsync(HttpMethod.Get, "/openapi.json", headers: headers => headers.IfNoneMatch.Add(first.Headers.ETag!));
        using var origin = await gateway.SendAsync(HttpMethod.Get, "/openapi.json", headers: headers => headers.Add("Origin", "https://chat.example"));

        Assert.Equal((HttpStatusCode.OK, "application/json"), (first.StatusCode, first.Content.Headers.ContentType?.MediaType));
        Assert.True(JsonNode.DeepEquals(Documented.Root, JsonNode.Parse(await first.Content.ReadAsStringAsync(TestTime.Limit()))));
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Equal("https://chat.example", origin.Header("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task The_page_is_there_for_everybody_whole_and_may_fetch_nothing_from_elsewhere()
    {
        await using var gateway = await WithKeyAsync();

        using var page = await gateway.SendAsync(HttpMethod.Get, "/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal("/docs/index.html", page.RequestMessage!.RequestUri!.AbsolutePath);
        Assert.StartsWith("default-src 'self'", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        foreach (var file in new[] { "index.js", "swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js" })
        {
            using var part = await gateway.SendAsync(HttpMethod.Get, $"/docs/{file}");
            Assert.Equal(HttpStatusCode.OK, part.StatusCode);
        }

        using var missing = await gateway.SendAsync(HttpMethod.Get, "/docs/nothing.js");
        using var models = await gateway.SendAsync(HttpMethod.Get, "/v1/models");
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.Unauthorized), (missing.StatusCode, models.StatusCode));
    }

    private Task<TestGateway> WithKeyAsync()
    {
        File.WriteAllText(_keyFile, "sk-0123456789abcdef0123456789abcdef\n");
        return TestGateway.StartAsync(new FakeClusterView(), ("Gateway:ApiKeyFile", _keyFile), ("Gateway:CorsOrigins:0", "https://chat.example"));
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(member => member.Key == "$ref" ? [(string)member.Value!] : References(member.Value)),
        JsonArray items => items.SelectMany(References),
        _ => [],
    };
}
