using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Serving.Gateway.Tests.Support;

/// <summary>Bad input of all kinds for one route: each is refused at once, with the field's name, and no worker hears of it.</summary>
/// <param name="path">The route.</param>
/// <param name="valid">A body that is answered with 200.</param>
internal sealed class InputMatrix(string path, string valid)
{
    private const string Json = "application/json";

    /// <summary>The error object of a body.</summary>
    public Func<HttpResponseMessage, Task<JsonElement>> ErrorOf { get; init; } = Bodies.ErrorAsync;

    /// <summary>Whether errors name the field at fault in a member of its own, and not only in the message.</summary>
    public bool HasParam { get; init; } = true;

    /// <summary>The valid body with a field added or changed; a value that is no JSON stays as it is.</summary>
    public string With(string field, string value)
    {
        var body = JsonNode.Parse(valid)!.AsObject();
        body.Remove(field);
        var rest = body.ToJsonString()[1..];
        return $"{{\"{field}\":{value}{(rest.Length > 1 ? "," : "")}{rest}";
    }

    public string Without(string field)
    {
        var body = JsonNode.Parse(valid)!.AsObject();
        body.Remove(field);
        return body.ToJsonString();
    }

    /// <summary>What is wrong with any JSON, and with the model.</summary>
    public IEnumerable<(string? Param, string Body)> Common =>
    [
        .. new[] { "", "not JSON", "{", "[]", "\"text\"", "null", "{} {}", "{\"a\":1,}", "{/*c*/}" }.Select(body => ((string?)null, body)),
        (null, $"{{\"twice\":1,\"twice\":2,{valid[1..]}"),
        (null, With("deep", new string('[', 100) + new string(']', 100))),
        ("model", Without("model")),
        .. new[] { "null", "\"\"", "7", "[]", "\"\\ud800\"", $"\"{new string('m', 300)}\"" }.Select(value => ((string?)"model", With("model", value))),
    ];

    public async Task HoldsAsync(TestGateway gateway, StubWorker worker, params (string Field, string Param, string[] Values)[] faults)
    {
        var before = worker.RequestCount;
        var bodies = faults.SelectMany(fault => fault.Values.Select(value => ((string?)fault.Param, With(fault.Field, value))));
        foreach (var (param, body) in Common.Concat(bodies))
        {
            using var response = await PostAsync(gateway, new StringContent(body, Encoding.UTF8, Json));
            await IsRefusedAsync(response, HttpStatusCode.BadRequest, param, body);
        }

        using var notUtf8 = await PostAsync(gateway, Bytes([.. Encoding.UTF8.GetBytes("{\"model\":\""), 0xC3, 0x28, .. Encoding.UTF8.GetBytes("\"}")]));
        await IsRefusedAsync(notUtf8, HttpStatusCode.BadRequest, null, "invalid UTF-8");
        using var notJson = await PostAsync(gateway, new StringContent(valid, Encoding.UTF8, "text/plain"));
        await IsRefusedAsync(notJson, HttpStatusCode.UnsupportedMediaType, null, "text/plain");
        using var tooLarge = await PostAsync(gateway, Bytes(new byte[10_000_000]));
        await IsRefusedAsync(tooLarge, HttpStatusCode.RequestEntityTooLarge, null, "ten megabytes");
        using var unknown = await gateway.SendAsync(HttpMethod.Post, path, With("model", "\"nothing\""));
        await IsRefusedAsync(unknown, HttpStatusCode.NotFound, "model", "an unknown model");
        Assert.Equal(before, worker.RequestCount);

        using var after = await gateway.SendAsync(HttpMethod.Post, path, valid);
        Assert.True(after.StatusCode == HttpStatusCode.OK, await after.Content.ReadAsStringAsync(TestTime.Limit()));
    }

    /// <summary>Fields with values that leave the answer as it is.</summary>
    public async Task AcceptsAsync(TestGateway gateway, params (string Field, string Value)[] fields)
    {
        foreach (var (field, value) in fields)
        {
            using var response = await gateway.SendAsync(HttpMethod.Post, path, With(field, value));
            Assert.True(response.StatusCode == HttpStatusCode.OK, $"{field} {value}: {await response.Content.ReadAsStringAsync(TestTime.Limit())}");
        }
    }

    private static ByteArrayContent Bytes(byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(Json);
        return content;
    }

    private Task<HttpResponseMessage> PostAsync(TestGateway gateway, HttpContent content) => gateway.Client.PostAsync(path, content, TestTime.Limit());

    private async Task IsRefusedAsync(HttpResponseMessage response, HttpStatusCode status, string? param, string body)
    {
        Assert.True(response.StatusCode == status, $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(TestTime.Limit())} for {body}");
        var error = await ErrorOf(response);
        var message = error.GetProperty("message").GetString()!;
        Assert.True(!HasParam || error.GetProperty("param").GetString() == param, $"{error} for {body}");
        Assert.True(param is null || status == HttpStatusCode.NotFound || message.Contains($"'{param}'", StringComparison.Ordinal), $"{message} for {body}");
        Assert.NotEmpty(message);
    }
}
