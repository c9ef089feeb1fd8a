using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using OpenAI;
using OpenAI.Files;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

public sealed class FilesTests
{
    [Fact]
    public async Task A_file_is_kept_shown_given_back_and_deleted()
    {
        await using var gateway = await TestGateway.BeforeAsync();
        var contents = new byte[300_000];
        Random.Shared.NextBytes(contents);
        using var created = await gateway.UploadAsync([("purpose", "user_data"), ("nobodys", "x")], contents, "weird näme.bin");
        var file = await created.JsonAsync();
        Assert.Equal(HttpStatusCode.OK, created.StatusCode);
        Assert.Equal(("file", "weird näme.bin", "user_data", "processed", 300_000), (Text(file, "object"), Text(file, "filename"), Text(file, "purpose"), Text(file, "status"), file.GetProperty("bytes").GetInt32()));
        Assert.Equal(30 * 86_400, file.GetProperty("expires_at").GetInt64() - file.GetProperty("created_at").GetInt64());

        var id = Text(file, "id");
        using var shown = await gateway.SendAsync(HttpMethod.Get, $"/v1/files/{id}");
        Assert.Equal(file.ToString(), (await shown.JsonAsync()).ToString());
        using var given = await gateway.SendAsync(HttpMethod.Get, $"/v1/files/{id}/content");
        Assert.Equal(contents, await given.Content.ReadAsByteArrayAsync());
        Assert.Equal(("attachment", "nosniff"), (given.Content.Headers.ContentDisposition!.DispositionType, given.Header("X-Content-Type-Options")));

        using var deleted = await gateway.SendAsync(HttpMethod.Delete, $"/v1/files/{id}");
        Assert.Equal($$"""{"id":"{{id}}","object":"file","deleted":true}""", await deleted.Content.ReadAsStringAsync());
        foreach (var (method, path) in new[] { (HttpMethod.Get, $"/v1/files/{id}"), (HttpMethod.Get, $"/v1/files/{id}/content"), (HttpMethod.Delete, $"/v1/files/{id}"), (HttpMethod.Get, "/v1/files/..%2Fsecret") })
        {
            using var gone = await gateway.SendAsync(method, path);
            Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
            Assert.Equal("id", Text(await gone.ErrorAsync(), "param"));
        }
    }

    [Theory]
    [InlineData("assistants")]
    [InlineData("batch")]
    [InlineData("evals")]
    [InlineData("fine-tune")]
    [InlineData("user_data")]
    [InlineData("vision")]
    public async Task A_file_of_each_purpose_is_found_by_it(string purpose)
    {
        await using var gateway = await TestGateway.BeforeAsync();
        var id = await gateway.StoreAsync("x", purpose);
        using var found = await gateway.SendAsync(HttpMethod.Get, $"/v1/files?purpose={purpose}");
        Assert.Equal([id], (await found.JsonAsync()).Ids());
        using var others = await gateway.SendAsync(HttpMethod.Get, "/v1/files?purpose=batch_output");
        Assert.Equal("""{"data":[],"first_id":"","last_id":"","has_more":false,"object":"list"}""", await others.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_list_is_paged_the_newest_first_and_goes_on_after_what_was_deleted()
    {
        await using var gateway = await TestGateway.BeforeAsync();
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add(await gateway.StoreAsync($"{i}"));
            await Task.Delay(2);
        }

        var seen = new List<string?>();
        for (var query = "limit=2"; ;)
        {
            using var response = await gateway.SendAsync(HttpMethod.Get, $"/v1/files?{query}");
            var page = await response.JsonAsync();
            seen.AddRange(page.Ids());
            Assert.Equal(page.Ids()[0], Text(page, "first_id"));
            if (!page.GetProperty("has_more").GetBoolean())
            {
                break;
            }

            using var deleted = await gateway.SendAsync(HttpMethod.Delete, $"/v1/files/{Text(page, "last_id")}");
            query = $"limit=2&after={Text(page, "last_id")}";
        }

        Assert.Equal(Enumerable.Reverse(ids), seen);
        using var ascending = await gateway.SendAsync(HttpMethod.Get, $"/v1/files?order=asc&after={ids[0]}&limit=1");
        Assert.Equal([ids[2]], (await ascending.JsonAsync()).Ids());
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=10001", "limit")]
    [InlineData("limit=-1", "limit")]
    [InlineData("limit=1.5", "limit")]
    [InlineData("limit=99999999999999999999", "limit")]
    [InlineData("limit=", "limit")]
    [InlineData("order=up", "order")]
    [InlineData("after=a/b", "after")]
    [InlineData("after=", "after")]
    [InlineData("purpose=nothing", "purpose")]
    public async Task A_mistake_in_the_query_is_named(string query, string param)
    {
        await using var gateway = await TestGateway.BeforeAsync();
        using var response = await gateway.SendAsync(HttpMethod.Get, $"/v1/files?{query}");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(param, Text(await response.ErrorAsync(), "param"));
    }

    [Theory]
    [InlineData("", "purpose")]
    [InlineData("purpose=everything", "purpose")]
    [InlineData("purpose=batch_output", "purpose")]
    [InlineData("purpose=batch&purpose=batch", "purpose")]
    [InlineData("purpose=batch&expires_after[anchor]=created_at", "expires_after[seconds]")]
    [InlineData("purpose=batch&expires_after[seconds]=3600", "expires_after[anchor]")]
    [InlineData("purpose=batch&expires_after[anchor]=now&expires_after[seconds]=3600", "expires_after[anchor]")]
    [InlineData("purpose=batch&expires_after[anchor]=created_at&expires_after[seconds]=3599", "expires_after[seconds]")]
    [InlineData("purpose=batch&expires_after[anchor]=created_at&expires_after[seconds]=2592001", "expires_after[seconds]")]
    [InlineData("purpose=batch&expires_after[anchor]=created_at&expires_after[seconds]=1e9", "expires_after[seconds]")]
    [InlineData("purpose=batch&expires_after={\"anchor\":\"created_at\"}", "expires_after")]
    public async Task A_mistake_in_the_form_is_named_and_leaves_nothing(string form, string param)
    {
        await using var gateway = await TestGateway.BeforeAsync();
        var fields = form.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(field => (field[..field.IndexOf('=')], field[(field.IndexOf('=') + 1)..])).ToArray();
        using var response = await gateway.UploadAsync(fields, "x"u8.ToArray());
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(param, Text(await response.ErrorAsync(), "param"));
        Assert.Empty(gateway.StoredFiles());
    }

    [Fact]
    public async Task A_file_may_ask_for_a_shorter_life()
    {
        await using var gateway = await TestGateway.BeforeAsync();
        using var response = await gateway.UploadAsync([("expires_after[anchor]", "created_at"), ("expires_after[seconds]", "3600"), ("purpose", "batch")], "x"u8.ToArray());
        var file = await response.JsonAsync();
        Assert.Equal(3600, file.GetProperty("expires_at").GetInt64() - file.GetProperty("created_at").GetInt64());
    }

    [Fact]
    public async Task A_form_is_known_however_HTTP_writes_its_type()
    {
        const string body = "--b\r\nContent-Disposition: Form-Data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\ncontent-disposition: Form-Data; name=file; filename=a\r\n\r\nhello\r\n--b--";
        await using var gateway = await TestGateway.BeforeAsync();
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", "Multipart/Form-Data; boundary=\"b\"");

        using var created = await gateway.PostAsync(content);

        Assert.Equal((HttpStatusCode.OK, "a"), (created.StatusCode, Text(await created.JsonAsync(), "filename")));
    }

    [Fact]
    public async Task What_is_no_form_with_a_file_is_refused()
    {
        await using var gateway = await TestGateway.BeforeAsync();
        using (var json = await gateway.SendAsync(HttpMethod.Post, "/v1/files", "{}"))
        {
            Assert.Equal(HttpStatusCode.UnsupportedMediaType, json.StatusCode);
        }

        const string part = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhello";
        foreach (var (body, type, param) in new (string, string, string?)[]
        {
            ("--b--", "multipart/form-data; boundary=b", "purpose"),
            ("--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b--", "multipart/form-data; boundary=b", "file"),
            ($"{part}\r\n{part}\r\n--b--", "multipart/form-data; boundary=b", "file"),
            ("--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhello\r\n--b--", "multipart/form-data; boundary=b", "file"),
            ("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a/\"\r\n\r\nhello\r\n--b--", "multipart/form-data; boundary=b", "file"),
            ($"--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n{new string('p', 1025)}\r\n--b--", "multipart/form-data; boundary=b", "purpose"),
            (part, "multipart/form-data; boundary=b", null),
            ("nothing", "multipart/form-data; boundary=b", null),
            ("", "multipart/form-data; boundary=b", null),
            (part, "multipart/form-data", null),
            (part, $"multipart/form-data; boundary={new string('b', 71)}", null),
            ("--b\r\nX: y\r\n\r\nhello\r\n--b--", "multipart/form-data; boundary=b", null),
        })
        {
            using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
            using var response = await gateway.PostAsync(content);
            Assert.Equal((HttpStatusCode.BadRequest, body), (response.StatusCode, body));
            Assert.Equal((param, body), (Text(await response.ErrorAsync(), "param"), body));
        }

        Assert.Empty(gateway.StoredFiles());
    }

    [Fact]
    public async Task Too_large_a_file_is_refused()
    {
        await using var gateway = await TestGateway.StartAsync(new FakeClusterView(), ("Storage:FileBytesMax", "2000"));
        using (var fits = await gateway.UploadAsync(new string('x', 2000)))
        {
            Assert.Equal(HttpStatusCode.OK, fits.StatusCode);
        }

        using (var larger = await gateway.UploadAsync(new string('x', 2001)))
        {
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, larger.StatusCode);
        }

        Assert.Single(gateway.StoredFiles());
    }

    [Fact]
    public async Task Each_key_has_its_own_files_and_its_own_room()
    {
        var keyFile = Path.GetTempFileName();
        var (ann, bob) = ($"sk-ann-{new string('a', 40)}", $"sk-bob-{new string('b', 40)}");
        await File.WriteAllLinesAsync(keyFile, [ann, bob]);
        try
        {
            await using var gateway = await TestGateway.StartAsync(
                new FakeClusterView(), ("Gateway:ApiKeyFile", keyFile), ("Storage:TenantBytesMax", "2000"), ("Storage:TenantObjectsMax", "3"));
            var id = await gateway.StoreAsync("secret", key: ann);
            foreach (var (method, path) in new[] { (HttpMethod.Get, $"/v1/files/{id}"), (HttpMethod.Get, $"/v1/files/{id}/content"), (HttpMethod.Delete, $"/v1/files/{id}") })
            {
                using var foreign = await gateway.SendAsync(method, path, headers: headers => headers.Authorization = new("Bearer", bob));
                Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
            }

            using (var list = await gateway.SendAsync(HttpMethod.Get, "/v1/files", headers: headers => headers.Authorization = new("Bearer", bob)))
            {
                Assert.Empty((await list.JsonAsync()).Ids());
            }

            using (var full = await gateway.UploadAsync(new string('x', 1950), key: ann))
            {
                Assert.Equal(HttpStatusCode.Forbidden, full.StatusCode);
                var error = await full.ErrorAsync();
                Assert.Equal("storage_quota_exceeded", Text(error, "code"));
                Assert.Contains("TenantBytesMax", Text(error, "message"));
            }

            await gateway.StoreAsync("2", key: ann);
            await gateway.StoreAsync("3", key: ann);
            using (var many = await gateway.UploadAsync("4", key: ann))
            {
                Assert.Equal(HttpStatusCode.Forbidden, many.StatusCode);
            }

            await gateway.StoreAsync("4", key: bob);
            Assert.Equal(4, gateway.StoredFiles().Length);
            using var deleted = await gateway.SendAsync(HttpMethod.Delete, $"/v1/files/{id}", headers: headers => headers.Authorization = new("Bearer", ann));
            Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
            await gateway.StoreAsync("4", key: ann);
        }
        finally
        {
            File.Delete(keyFile);
        }
    }

    [Fact]
    public async Task OpenAIs_NET_client_keeps_lists_reads_and_deletes_files()
    {
        await using var gateway = await TestGateway.BeforeAsync();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var client = new OpenAIFileClient(
            new ApiKeyCredential("sk-not-needed-here"),
            new OpenAIClientOptions { Endpoint = new Uri(gateway.Address, "/v1"), Transport = new HttpClientPipelineTransport(http), RetryPolicy = new ClientRetryPolicy(maxRetries: 0) });
        OpenAIFile file = await client.UploadFileAsync(new MemoryStream("{}\n"u8.ToArray()), "näme.jsonl", FileUploadPurpose.Batch, TestTime.Limit());
        Assert.Equal(("näme.jsonl", FilePurpose.Batch, 3), (file.Filename, file.Purpose, file.SizeInBytes));
        OpenAIFileCollection listed = await client.GetFilesAsync(FilePurpose.Batch, TestTime.Limit());
        Assert.Equal([file.Id], listed.Select(entry => entry.Id));
        Assert.Equal("{}\n", (await client.DownloadFileAsync(file.Id, TestTime.Limit())).Value.ToString());
        FileDeletionResult deleted = await client.DeleteFileAsync(file.Id, TestTime.Limit());
        Assert.True(deleted.Deleted);
    }

    [Fact]
    public async Task Without_redis_files_are_503_and_chats_are_served()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        var id = await gateway.StoreAsync("x");
        gateway.Documents.IsAway = true;
        foreach (var path in new[] { "/v1/files", $"/v1/files/{id}", $"/v1/files/{id}/content" })
        {
            using var response = await gateway.SendAsync(HttpMethod.Get, path);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            Assert.Equal("service_unavailable", Text(await response.ErrorAsync(), "code"));
            Assert.Equal("1", response.Header("Retry-After"));
        }

        using (var upload = await gateway.UploadAsync("y"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, upload.StatusCode);
        }

        using var chat = await gateway.ChatAsync(Bodies.Chat());
        Assert.Equal(HttpStatusCode.OK, chat.StatusCode);
        gateway.Documents.IsAway = false;
        using var back = await gateway.SendAsync(HttpMethod.Get, $"/v1/files/{id}");
        Assert.Equal(HttpStatusCode.OK, back.StatusCode);
    }

    [Fact]
    public async Task Without_a_folder_the_error_names_the_option()
    {
        await using var gateway = await TestGateway.StartAsync(new FakeClusterView(), ("Storage:Folder", ""));
        using var response = await gateway.UploadAsync("x");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("Storage:Folder", Text(await response.ErrorAsync(), "message"));
    }

    private static string? Text(System.Text.Json.JsonElement element, string name) => element.GetProperty(name).GetString();
}
