using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests.OpenApi;

/// <summary>
/// Requests are read as the document says. The gateway here has no worker, so a request that is read is answered with anything but 400, and one that is refused with 400.
/// </summary>
public sealed partial class RequestTests
{
    /// <summary>Fields that name something which must be there.</summary>
    private static readonly string[] _names = ["previous_response_id", "input_file_id"];

    /// <summary>Parameters that take any text, or an entry's id.</summary>
    private static readonly string[] _texts = ["after", "model", "metadata"];

    private static readonly List<string> _ofMessages = ["messages", "tools"];

    /// <summary>What a field needs beside it, or does not go together with.</summary>
    private static readonly Dictionary<string, Action<JsonObject>> _companions = new()
    {
        ["top_logprobs"] = body => body["logprobs"] = true,
        ["stream_options"] = body => body["stream"] = true,
        ["min_tokens"] = body => body["max_tokens"] = int.MaxValue,
        ["messages"] = body => body.Remove("prompt"),
        ["prompt"] = body => _ofMessages.ForEach(field => body.Remove(field)),
        ["text_1"] = body => body["text_2"] = body["text_1"]?.DeepClone(),
    };

    private static readonly string[] _anything = ["true", "false", "0", "1", "\"\"", "\"x\"", "\"none\"", "\"auto\"", "[]", "[1]", "[\"text\"]", "{}", "{\"a\":1}"];

    public static TheoryData<string> Routes => [.. Documented.Bodies.Select(body => body.Path)];

    /// <summary>The readers themselves tell which fields they look for.</summary>
    [Theory]
    [MemberData(nameof(Routes))]
    public async Task What_a_route_knows_is_documented_or_refused_whatever_it_is_and_what_is_documented_it_knows(string route)
    {
        await using var gateway = await TestGateway.StartAsync(new FakeClusterView());
        var body = await BodyAsync(gateway, route);
        var known = new Dictionary<string, JsonObject>();
        foreach (var example in body.Examples)
        {
            using var response = await SendAsync(gateway, route, example);
            foreach (var field in response.Header(TestGateway.AskedFields)!.Split(','))
            {
                known.TryAdd(field, example);
            }
        }

        var documented = Documented.Properties(body.Schema).Select(property => property.Key).ToList();
        Assert.Equal(documented.Distinct(), documented);
        Assert.Empty(documented.Except(known.Keys));
        foreach (var (field, example) in known.Where(field => !documented.Contains(field.Key)))
        {
            foreach (var value in _anything)
            {
                var sent = example.DeepClone().AsObject();
                sent[field] = JsonNode.Parse(value);
                Assert.True(await RefusalAsync(gateway, route, sent) == (field, true), $"{field} is not documented, and not refused as unsupported where it is {value}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Values_at_the_ends_of_what_is_documented_pass_and_those_beyond_are_refused_by_name(string route)
    {
        await using var gateway = await TestGateway.StartAsync(new FakeClusterView());
        var body = await BodyAsync(gateway, route);
        var refused = new Dictionary<string, string>();
        var passed = new HashSet<string>();
        var wrong = new List<string>();
        foreach (var one in body.Examples.SelectMany(example => SchemaCases.Of(body.Schema, example, "")))
        {
            var field = one.Path.Split('.', '[')[0];
            var sent = one.Value!.AsObject();
            _companions.GetValueOrDefault(field)?.Invoke(sent);
            var key = $"{one.Path}: {Shortened(sent[field])}";
            var refusal = await RefusalAsync(gateway, route, sent);
            if (!one.IsValid && (refusal is null || !IsAt(refusal.Value.Param, one.Path)))
            {
                wrong.Add($"{key} is not documented, and {(refusal is null ? "passes" : $"refused as {refusal.Value.Param}")}");
            }
            else if (one.IsValid && refusal is null)
            {
                passed.Add(key);
            }
            else if (one.IsValid && !_names.Contains(field))
            {
                refused[key] = $"{key} is documented, and refused as {refusal!.Value.Param}";
            }
        }

        // What one example does not go together with, another one does.
        wrong.AddRange(refused.Where(one => !passed.Contains(one.Key)).Select(one => one.Value));
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.NotEmpty(passed);
    }

    public static TheoryData<string> Queries => [.. Documented.Operations.Where(operation => operation.Parameters.Any(IsInQuery)).Select(operation => operation.Path)];

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task So_are_parameters_of_queries(string route)
    {
        await using var gateway = await TestGateway.StartAsync(new FakeClusterView());
        foreach (var parameter in Documented.Operations.Single(operation => operation.Path == route && operation.Method == "GET").Parameters.Where(IsInQuery))
        {
            var name = (string)parameter["name"]!;
            if (_texts.Contains(name))
            {
                continue;
            }

            foreach (var one in SchemaCases.Of(parameter["schema"]!, null, name).Where(one => one.Value is not JsonObject))
            {
                var pairs = (one.Value as JsonArray ?? [one.Value?.DeepClone()]).Select(value => $"{name}={value}");
                using var response = await gateway.SendAsync(HttpMethod.Get, $"{route.Replace("{id}", "resp_x")}?{string.Join('&', pairs)}");
                Assert.True((response.StatusCode != HttpStatusCode.BadRequest) == one.IsValid, $"{(int)response.StatusCode} for {name}={one.Value}");
                Assert.True(one.IsValid || (await response.ErrorAsync()).GetProperty("param").GetString() == name, $"{name}={one.Value}");
            }
        }
    }

    private static bool IsInQuery(JsonObject parameter) => (string?)parameter["in"] == "query";

    /// <summary>The body, of which the examples name what is there.</summary>
    private static async Task<DocumentedBody> BodyAsync(TestGateway gateway, string route)
    {
        var body = Documented.Bodies.Single(body => body.Path == route);
        if (!Documented.Properties(body.Schema).Any(property => property.Key == "input_file_id"))
        {
            return body;
        }

        // No batch: it fails at once.
        var file = await gateway.StoreAsync("nothing", "batch");
        return body with
        {
            Examples = [.. body.Examples.Select(example =>
            {
                var named = example.DeepClone().AsObject();
                named["input_file_id"] = file;
                return named;
            })],
        };
    }

    private static Task<HttpResponseMessage> SendAsync(TestGateway gateway, string route, JsonObject body) =>
        gateway.SendAsync(HttpMethod.Post, route.Replace("{id}", "chatcmpl-x"), body.ToJsonString());

    /// <summary>The field with which a request is refused, and whether as one that is not supported; null: it is not.</summary>
    private static async Task<(string Param, bool IsUnsupported)?> RefusalAsync(TestGateway gateway, string route, JsonObject body)
    {
        using var response = await SendAsync(gateway, route, body);
        if (response.StatusCode != HttpStatusCode.BadRequest)
        {
            return null;
        }

        var error = (await response.JsonAsync()).GetProperty("error");
        var message = error.GetProperty("message").GetString()!;
        return error.TryGetProperty("param", out var param)
            ? (param.GetString() ?? "", error.GetProperty("code").GetString() == "unsupported_parameter")
            : (message.Split('\'')[1], message.Contains("does not support", StringComparison.Ordinal));
    }

    /// <summary>Whether a place is the one at fault, inside it or around it. Of an array that is of several kinds, the other elements may be the odd ones.</summary>
    private static bool IsAt(string param, string path)
    {
        var (found, expected) = (Place().Replace(param, "[]"), Place().Replace(path, "[]"));
        return found == expected || IsIn(found, expected) || IsIn(expected, found);
    }

    private static bool IsIn(string inner, string outer) => inner.StartsWith($"{outer}.", StringComparison.Ordinal) || inner.StartsWith($"{outer}[", StringComparison.Ordinal);

    [GeneratedRegex(@"\[\d+\]")]
    private static partial Regex Place();

    private static string Shortened(JsonNode? value)
    {
        var json = value?.ToJsonString() ?? "null";
        return json.Length < 300 ? json : $"{json[..250]}… ({json.Length} characters, {string.GetHashCode(json, StringComparison.Ordinal):x8})";
    }
}
