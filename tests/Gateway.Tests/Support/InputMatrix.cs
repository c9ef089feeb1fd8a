using System.Net;
using System.Text.Json;

namespace Serving.Gateway.Tests.Support;

/// <summary>Mistakes of one route's own fields, beside those that <see cref="InvalidRequests"/> makes everywhere: each is refused at once, with the field's name, and no worker hears of it.</summary>
/// <param name="path">The route.</param>
/// <param name="valid">A body that is answered with 200.</param>
internal sealed class InputMatrix(string path, string valid)
{
    private readonly JsonEndpoint _endpoint = new(path, valid);

    /// <summary>The error object of a body.</summary>
    public Func<HttpResponseMessage, Task<JsonElement>> ErrorOf { get; init; } = Bodies.ErrorAsync;

    /// <summary>Whether errors name the field at fault in a member of its own, and not only in the message.</summary>
    public bool HasParam { get; init; } = true;

    /// <summary>The valid body with a field added or changed; a value that is no JSON stays as it is.</summary>
    public string With(string field, string value) => _endpoint.With(field, value);

    public async Task HoldsAsync(TestGateway gateway, StubWorker worker, params (string Field, string Param, string[] Values)[] faults)
    {
        var before = worker.RequestCount;
        foreach (var (param, body) in faults.SelectMany(fault => fault.Values.Select(value => (fault.Param, With(fault.Field, value)))))
        {
            using var response = await gateway.SendAsync(HttpMethod.Post, path, body);
            await IsRefusedAsync(response, HttpStatusCode.BadRequest, param, body);
        }

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

    private async Task IsRefusedAsync(HttpResponseMessage response, HttpStatusCode status, string param, string body)
    {
        Assert.True(response.StatusCode == status, $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(TestTime.Limit())} for {body}");
        var error = await ErrorOf(response);
        var message = error.GetProperty("message").GetString()!;
        Assert.True(!HasParam || error.GetProperty("param").GetString() == param, $"{error} for {body}");
        Assert.True(status == HttpStatusCode.NotFound || message.Contains($"'{param}'", StringComparison.Ordinal), $"{message} for {body}");
    }
}
