using System.Text.Json;

namespace Serving.Gateway.Tests.Support;

internal static class Bodies
{
    /// <summary>A request that works, with fields added: <c>"stream":true</c>.</summary>
    public static string Chat(string extra = "", string model = Workers.Model) =>
        $$"""{"model":"{{model}}","messages":[{"role":"user","content":"What is the capital of France?"}]{{(extra.Length > 0 ? "," : "")}}{{extra}}}""";

    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage response)
    {
        using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(TestTime.Limit()));
        return document.RootElement.Clone();
    }

    public static async Task<JsonElement> ErrorAsync(this HttpResponseMessage response)
    {
        var error = (await response.JsonAsync()).GetProperty("error");
        Assert.Equal(["message", "type", "param", "code"], error.EnumerateObject().Select(member => member.Name));
        return error;
    }

    public static string? Header(this HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? string.Join(",", values) : null;
}
