using System.Net;
using System.Text.Json;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

public sealed class StoredChatTests
{
    private const string Route = "/v1/chat/completions";
    private const string Answer = "The capital of France is Paris.";

    [Fact]
    public async Task A_stored_chat_is_what_the_client_got_with_its_labels()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        using var chat = await gateway.ChatAsync(Bodies.Chat("\"store\":true,\"metadata\":{\"project\":\"a\",\"töne\":\"ä\"}"));
        var answer = await chat.Content.ReadAsStringAsync();
        var id = JsonDocument.Parse(answer).RootElement.GetProperty("id").GetString();

        using var stored = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{id}");
        Assert.Equal(answer[..^1] + ",\"metadata\":{\"project\":\"a\",\"töne\":\"ä\"}}", await stored.Content.ReadAsStringAsync());

        using var labelled = await gateway.SendAsync(HttpMethod.Post, $"{Route}/{id}", "{\"metadata\":{\"project\":\"b\"}}");
        Assert.Equal(answer[..^1] + ",\"metadata\":{\"project\":\"b\"}}", await labelled.Content.ReadAsStringAsync());
        using var again = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{id}");
        Assert.Equal(await labelled.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());
        using var bare = await gateway.SendAsync(HttpMethod.Post, $"{Route}/{id}", "{\"metadata\":null}");
        Assert.Equal(answer[..^1] + ",\"metadata\":{}}", await bare.Content.ReadAsStringAsync());

        using var deleted = await gateway.SendAsync(HttpMethod.Delete, $"{Route}/{id}");
        Assert.Equal($$"""{"id":"{{id}}","object":"chat.completion.deleted","deleted":true}""", await deleted.Content.ReadAsStringAsync());
        Assert.Empty(gateway.StoredFiles());
        foreach (var (method, path, body) in new[] { (HttpMethod.Get, "", null), (HttpMethod.Get, "/messages", null), (HttpMethod.Post, "", "{\"metadata\":{}}"), (HttpMethod.Delete, "", null) })
        {
            using var gone = await gateway.SendAsync(method, $"{Route}/{id}{path}", body);
            Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        }
    }

    [Fact]
    public async Task A_streamed_chat_is_stored_whole_before_its_end_is_seen()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        using var stream = await gateway.ChatAsync(Bodies.Chat("\"store\":true,\"stream\":true,\"n\":1"));
        var events = (await stream.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("data: [DONE]", events[^1]);
        var id = JsonDocument.Parse(events[0]["data: ".Length..]).RootElement.GetProperty("id").GetString();

        using var stored = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{id}");
        var completion = await stored.JsonAsync();
        Assert.Equal("chat.completion", completion.GetProperty("object").GetString());
        Assert.Equal(Answer, completion.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
        Assert.True(completion.GetProperty("usage").GetProperty("completion_tokens").GetInt32() > 0);
    }

    [Fact]
    public async Task Messages_are_given_as_they_were_sent_and_paged()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        const string call = """{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]}""";
        const string result = """{"role":"tool","tool_call_id":"c1","content":"7 °C"}""";
        const string parts = """[{"type":"text","text":"And "},{"type":"text","text":"now?"}]""";
        using var chat = await gateway.ChatAsync(
            $$"""{"model":"{{Workers.Model}}","store":true,"messages":[{"role":"user","content":"Hi","nobodys":[1]},{{call}},{{result}},{"role":"user","content":{{parts}}}]}""");
        var id = (await chat.JsonAsync()).GetProperty("id").GetString();

        using var all = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{id}/messages");
        Assert.Equal(
            $$"""{"data":[{"role":"user","content":"Hi","nobodys":[1],"id":"{{id}}-0","content_parts":null,"refusal":null},"""
                + call[..^1] + $$""","id":"{{id}}-1","content_parts":null,"refusal":null},"""
                + result[..^1] + $$""","id":"{{id}}-2","content_parts":null,"refusal":null},"""
                + $$"""{"role":"user","content":"And now?","id":"{{id}}-3","content_parts":{{parts}},"refusal":null}],"first_id":"{{id}}-0","last_id":"{{id}}-3","has_more":false,"object":"list"}""",
            await all.Content.ReadAsStringAsync());

        Assert.Equal([$"{id}-0", $"{id}-1"], await PageAsync("limit=2", hasMore: true));
        Assert.Equal([$"{id}-2", $"{id}-3"], await PageAsync($"limit=2&after={id}-1", hasMore: false));
        Assert.Equal([$"{id}-3"], await PageAsync("limit=1&order=desc", hasMore: true));
        Assert.Equal([$"{id}-0"], await PageAsync($"order=desc&after={id}-1", hasMore: false));
        using var unknown = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{id}/messages?after={id}-4");
        Assert.Equal("after", (await unknown.ErrorAsync()).GetProperty("param").GetString());

        async Task<List<string?>> PageAsync(string query, bool hasMore)
        {
            using var response = await gateway.SendAsync(HttpMethod.Get, $"{Route}/{id}/messages?{query}");
            var page = await response.JsonAsync();
            Assert.Equal(hasMore, page.GetProperty("has_more").GetBoolean());
            return page.Ids();
        }
    }

    [Fact]
    public async Task The_list_has_what_was_stored_the_oldest_first_by_model_and_labels()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var cluster = new FakeClusterView();
        cluster.Add(Workers.Prefill("prefill-1", Workers.Served(), Workers.Served("other")), worker.Registration(Workers.Served(), Workers.Served("other")));
        await using var gateway = await TestGateway.StartAsync(cluster, ("Gateway:ModelAliases:gpt", "other"));
        var ids = new List<string?>();
        foreach (var (model, labels) in new[] { (Workers.Model, "\"a\":\"1\",\"b\":\"2\""), (Workers.Model, "\"a\":\"1\""), ("other", "\"a\":\"1\"") })
        {
            using var chat = await gateway.ChatAsync(Bodies.Chat($"\"store\":true,\"metadata\":{{{labels}}}", model));
            ids.Add((await chat.JsonAsync()).GetProperty("id").GetString());
            await Task.Delay(2);
        }

        (await gateway.ChatAsync(Bodies.Chat())).Dispose();
        (await gateway.ChatAsync(Bodies.Chat("\"store\":false"))).Dispose();
        Assert.Equal(ids, await ListAsync(""));
        Assert.Equal([ids[2], ids[1]], await ListAsync("?order=desc&limit=2"));
        Assert.Equal([ids[2]], await ListAsync($"?after={ids[1]}"));
        Assert.Equal([ids[0], ids[1]], await ListAsync($"?model={Workers.Model}"));
        Assert.Equal([ids[2]], await ListAsync("?model=gpt"));
        Assert.Empty(await ListAsync("?model=nothing"));
        Assert.Equal(ids, await ListAsync("?metadata[a]=1"));
        Assert.Equal([ids[0]], await ListAsync("?metadata[a]=1&metadata[b]=2"));
        Assert.Empty(await ListAsync("?metadata[a]=2"));

        async Task<List<string?>> ListAsync(string query)
        {
            using var response = await gateway.SendAsync(HttpMethod.Get, Route + query);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return (await response.JsonAsync()).Ids();
        }
    }

    [Fact]
    public async Task What_could_not_be_stored_is_refused_before_a_worker_hears_of_it()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var cluster = new FakeClusterView();
        cluster.Add(Workers.Prefill("prefill-1"), worker.Registration());
        await using var gateway = await TestGateway.StartAsync(cluster, ("Storage:TenantObjectsMax", "1"));
        gateway.Documents.IsAway = true;
        using (var away = await gateway.ChatAsync(Bodies.Chat("\"store\":true")))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
        }

        gateway.Documents.IsAway = false;
        await gateway.StoreAsync("x");
        using (var full = await gateway.ChatAsync(Bodies.Chat("\"store\":true")))
        {
            Assert.Equal("storage_quota_exceeded", (await full.ErrorAsync()).GetProperty("code").GetString());
        }

        await using var keepsNothing = await TestGateway.StartAsync(cluster, ("Storage:Folder", ""));
        using (var nowhere = await keepsNothing.ChatAsync(Bodies.Chat("\"store\":true")))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, nowhere.StatusCode);
        }

        using (var surrogate = await gateway.ChatAsync(Bodies.Chat("\"store\":true").Replace("\"content\"", "\"nobodys\":\"\\ud800\",\"content\"")))
        {
            Assert.Equal("messages", (await surrogate.ErrorAsync()).GetProperty("param").GetString());
        }

        Assert.Equal(0, worker.RequestCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_answer_whose_storing_fails_does_not_look_complete(bool stream)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        worker.Script = exchange =>
        {
            gateway.Documents.IsAway = true;
            return exchange.AnswerAsync("Paris.");
        };
        using var response = await gateway.ChatAsync(Bodies.Chat($"\"store\":true,\"stream\":{(stream ? "true" : "false")}"), HttpCompletionOption.ResponseHeadersRead);
        if (!stream)
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Contains("stored", (await response.ErrorAsync()).GetProperty("message").GetString());
            return;
        }

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var last = "";
        try
        {
            while (await reader.ReadLineAsync(TestTime.Limit()) is { } line)
            {
                last = line.Length > 0 ? line : last;
            }
        }
        catch (IOException)
        {
            // The connection is aborted.
        }

        Assert.Contains("\"error\":", last);
    }

    [Theory]
    [InlineData("{}", "metadata")]
    [InlineData("{\"metadata\":7}", "metadata")]
    [InlineData("{\"metadata\":[]}", "metadata")]
    [InlineData("{\"metadata\":{\"a\":1}}", "metadata.a")]
    [InlineData("{\"metadata\":{\"a\":null}}", "metadata.a")]
    [InlineData("{\"metadata\":{\"a\":\"\\ud800\"}}", "metadata.a")]
    [InlineData("[]", null)]
    [InlineData("{", null)]
    public async Task A_mistake_in_new_labels_is_named(string body, string? param)
    {
        await using var gateway = await TestGateway.BeforeAsync();
        using var response = await gateway.SendAsync(HttpMethod.Post, $"{Route}/chatcmpl-x", body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(param, (await response.ErrorAsync()).GetProperty("param").GetString());
    }

    [Fact]
    public async Task Labels_are_few_and_short()
    {
        await using var gateway = await TestGateway.BeforeAsync();
        var many = string.Join(',', Enumerable.Range(0, 17).Select(i => $"\"{i}\":\"x\""));
        foreach (var (labels, param) in new[] { (many, "metadata"), ($"\"{new string('n', 65)}\":\"x\"", $"metadata.{new string('n', 65)}"), ($"\"a\":\"{new string('v', 513)}\"", "metadata.a") })
        {
            using var chat = await gateway.ChatAsync(Bodies.Chat($"\"metadata\":{{{labels}}}"));
            Assert.Equal(HttpStatusCode.BadRequest, chat.StatusCode);
            Assert.Equal(param, (await chat.ErrorAsync()).GetProperty("param").GetString());
        }
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=101", "limit")]
    [InlineData("order=1", "order")]
    [InlineData("after=a.b", "after")]
    public async Task A_mistake_in_a_query_is_named(string query, string param)
    {
        await using var gateway = await TestGateway.BeforeAsync();
        foreach (var path in new[] { Route, $"{Route}/chatcmpl-x/messages" })
        {
            using var response = await gateway.SendAsync(HttpMethod.Get, $"{path}?{query}");
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Equal(param, (await response.ErrorAsync()).GetProperty("param").GetString());
        }
    }
}
