using System.Net;
using System.Runtime.InteropServices;
using System.Text.Json;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

public sealed class EmbeddingsTests
{
    private const string Embedder = "mini";

    private static readonly ServedModel _embedder = new(Embedder, "", 512, DateTimeOffset.UnixEpoch, "unknown", ModelKind.Embedding, EmbeddingWidth: 2);

    [Fact]
    public async Task Texts_become_vectors_in_OpenAIs_body()
    {
        await using var worker = await StubWorker.StartAsync("prefill-1");
        await using var gateway = await BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/embeddings", "{\"model\":\"mini\",\"input\":[\"a\",\"b\"],\"user\":\"me\",\"encoding_format\":\"float\"}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(
            "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":[0.6,0.8]},{\"object\":\"embedding\",\"index\":1,\"embedding\":[-0.6,0.8]}],"
                + "\"model\":\"mini\",\"usage\":{\"prompt_tokens\":6,\"total_tokens\":6}}",
            await response.Content.ReadAsStringAsync());
        Assert.Equal("prefill-1", response.Header(ServingHeaders.PrefillWorker));
        var asked = Assert.IsType<EmbeddingsRequest>(worker.TokensRequest);
        Assert.Equal(
            new EmbeddingsRequest
            {
                RequestId = asked.RequestId,
                Model = Embedder,
                Inputs = { new EmbeddingInput { Text = "a", Param = "input[0]" }, new EmbeddingInput { Text = "b", Param = "input[1]" } },
            },
            asked);
        Assert.Equal(response.Header("x-request-id"), asked.RequestId);
    }

    [Theory]
    [InlineData("\"a\"", "{ \"text\": \"a\", \"param\": \"input\" }")]
    [InlineData("[7,8]", "{ \"tokens\": { \"ids\": [ 7, 8 ] }, \"param\": \"input\" }")]
    [InlineData("[[7],[8,9]]", "{ \"tokens\": { \"ids\": [ 7 ] }, \"param\": \"input[0]\" }", "{ \"tokens\": { \"ids\": [ 8, 9 ] }, \"param\": \"input[1]\" }")]
    public async Task An_input_is_a_text_tokens_or_several_of_either(string input, params string[] inputs)
    {
        await using var worker = await StubWorker.StartAsync("prefill-1");
        await using var gateway = await BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/embeddings", $"{{\"model\":\"mini\",\"input\":{input}}}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(inputs, Assert.IsType<EmbeddingsRequest>(worker.TokensRequest).Inputs.Select(asked => asked.ToString()));
    }

    [Fact]
    public async Task Base64_has_the_same_numbers()
    {
        await using var worker = await StubWorker.StartAsync("prefill-1");
        await using var gateway = await BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/embeddings", "{\"model\":\"mini\",\"input\":\"a\",\"encoding_format\":\"base64\"}");

        var bytes = (await response.JsonAsync()).GetProperty("data")[0].GetProperty("embedding").GetBytesFromBase64();
        Assert.Equal([0.6f, 0.8f], MemoryMarshal.Cast<byte, float>(bytes).ToArray());
    }

    [Fact]
    public async Task Fewer_dimensions_are_the_first_ones_at_length_one()
    {
        await using var worker = await StubWorker.StartAsync("prefill-1");
        var wide = _embedder with { EmbeddingWidth = 4 };
        worker.Embed = _ => StubWorker.Embeddings([0.3f, 0.4f, 0.5f, 0.7071f]);
        await using var gateway = await BeforeAsync(worker, wide);

        using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/embeddings", "{\"model\":\"mini\",\"input\":\"a\",\"dimensions\":2}");
        using var whole = await gateway.SendAsync(HttpMethod.Post, "/v1/embeddings", "{\"model\":\"mini\",\"input\":\"a\",\"dimensions\":4}");
        using var tooMany = await gateway.SendAsync(HttpMethod.Post, "/v1/embeddings", "{\"model\":\"mini\",\"input\":\"a\",\"dimensions\":5}");

        Assert.Equal([0.6, 0.8], (await response.JsonAsync()).GetProperty("data")[0].GetProperty("embedding").EnumerateArray().Select(element => Math.Round(element.GetDouble(), 5)));
        Assert.Equal(4, (await whole.JsonAsync()).GetProperty("data")[0].GetProperty("embedding").GetArrayLength());
        Assert.Equal(HttpStatusCode.BadRequest, tooMany.StatusCode);
        Assert.Equal("dimensions", (await tooMany.ErrorAsync()).GetProperty("param").GetString());
    }

    public static TheoryData<string, string, string> Wrong() => new()
    {
        { "/v1/embeddings", "{}", "model" },
        { "/v1/embeddings", "{\"model\":\"mini\"}", "input" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":null}", "input" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":7}", "input" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":{}}", "input" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":\"\"}", "input" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":[]}", "input" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":[\"a\",\"\"]}", "input[1]" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":[\"a\",7]}", "input[1]" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":[7,\"a\"]}", "input[1]" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":[7,-1]}", "input[1]" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":[7,1e99]}", "input[1]" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":[99999999999999999999]}", "input[0]" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":[[7],[]]}", "input[1]" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":[[7],[8,\"a\"]]}", "input[1][1]" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":[null]}", "input[0]" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":\"\\ud800\"}", "input" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":\"a\",\"encoding_format\":\"hex\"}", "encoding_format" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":\"a\",\"encoding_format\":1}", "encoding_format" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":\"a\",\"dimensions\":0}", "dimensions" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":\"a\",\"dimensions\":1.5}", "dimensions" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":\"a\",\"user\":5}", "user" },
        { "/v1/embeddings", "{\"model\":\"mini\",\"input\":\"a\",\"truncate_prompt_tokens\":5}", "truncate_prompt_tokens" },
        { "/v1/embeddings", $"{{\"model\":\"{Workers.Model}\",\"input\":\"a\"}}", "model" },
        { "/v1/embeddings", "{\"model\":\"none\",\"input\":\"a\"}", "model" },
        { "/v1/chat/completions", Bodies.Chat(model: Embedder), "model" },
        { "/tokenize", "{\"model\":\"mini\",\"prompt\":\"a\"}", "model" },
        { "/v1/rerank", "{\"documents\":[\"a\"]}", "query" },
        { "/v1/rerank", "{\"query\":\"a\"}", "documents" },
        { "/v1/rerank", "{\"query\":\"a\",\"documents\":\"a\"}", "documents" },
        { "/v1/rerank", "{\"query\":\"a\",\"documents\":[]}", "documents" },
        { "/v1/rerank", "{\"query\":\"a\",\"documents\":[\"b\",{\"title\":\"c\"}]}", "documents[1]" },
        { "/v1/rerank", "{\"query\":\"a\",\"documents\":[\"b\"],\"top_n\":-1}", "top_n" },
        { "/v1/rerank", "{\"query\":\"a\",\"documents\":[\"b\"],\"return_documents\":1}", "return_documents" },
        { "/v1/score", "{\"text_1\":\"a\"}", "text_2" },
        { "/v1/score", "{\"text_1\":[\"a\",\"b\"],\"text_2\":\"c\"}", "text_1" },
        { "/v1/score", "{\"text_1\":\"a\",\"text_2\":[]}", "text_2" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task A_mistake_is_named_and_no_worker_is_asked(string route, string body, string param)
    {
        await using var worker = await StubWorker.StartAsync("prefill-1");
        await using var gateway = await BeforeAsync(worker, _embedder, Workers.Served());

        using var response = await gateway.SendAsync(HttpMethod.Post, route, body);

        Assert.InRange((int)response.StatusCode, 400, 404);
        Assert.Equal(param, (await response.ErrorAsync()).GetProperty("param").GetString());
        Assert.Null(worker.TokensRequest);
        Assert.Equal(0, worker.RequestCount);
    }

    [Fact]
    public async Task No_more_than_2048_inputs_are_taken()
    {
        await using var worker = await StubWorker.StartAsync("prefill-1");
        await using var gateway = await BeforeAsync(worker);

        using var most = await gateway.SendAsync(HttpMethod.Post, "/v1/embeddings", Many(2048));
        using var more = await gateway.SendAsync(HttpMethod.Post, "/v1/embeddings", Many(2049));

        Assert.Equal(HttpStatusCode.OK, most.StatusCode);
        Assert.Equal("input", (await more.ErrorAsync()).GetProperty("param").GetString());

        static string Many(int count) => $"{{\"model\":\"mini\",\"input\":[{string.Join(",", Enumerable.Repeat("\"a\"", count))}]}}";
    }

    [Fact]
    public async Task A_worker_s_refusal_is_the_answer_and_a_lost_worker_s_work_goes_to_another()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var cluster = new FakeClusterView();
        // Nobody listens where the prefill worker is said to be.
        var served = Workers.Served() with { EmbeddingWidth = 2 };
        cluster.Add(Workers.Prefill("prefill-1", served), worker.Registration(served));
        await using var gateway = await TestGateway.StartAsync(cluster);
        var body = $"{{\"model\":\"{Workers.Model}\",\"input\":\"a\"}}";

        using var answer = await gateway.SendAsync(HttpMethod.Post, "/v1/embeddings", body);
        worker.Embed = _ => new RequestError { Status = 503, Fault = Fault.Worker, Code = "overloaded", Message = "Too much.", RetryAfterS = 1 };
        using var refusal = await gateway.SendAsync(HttpMethod.Post, "/v1/embeddings", body);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("decode-1", answer.Header(ServingHeaders.DecodeWorker));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refusal.StatusCode);
        Assert.Equal("1", refusal.Header("Retry-After"));
    }

    [Fact]
    public async Task A_request_ends_when_its_time_is_up()
    {
        await using var worker = await StubWorker.StartAsync("prefill-1");
        using var gate = new ManualResetEventSlim();
        worker.Embed = _ =>
        {
            gate.Wait(TestTime.LimitTime);
            return StubWorker.Embeddings([1f, 0f]);
        };
        await using var gateway = await BeforeAsync(worker);

        using var response = await gateway.SendAsync(
            HttpMethod.Post, "/v1/embeddings", "{\"model\":\"mini\",\"input\":\"a\"}", headers => headers.Add(ServingHeaders.TimeoutMs, "50"));
        gate.Set();

        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        Assert.Equal("deadline_exceeded", (await response.ErrorAsync()).GetProperty("code").GetString());
    }

    [Fact]
    public async Task Models_that_write_are_listed_first_and_an_embedder_needs_no_decode_worker_to_be_ready()
    {
        await using var worker = await StubWorker.StartAsync("prefill-1");
        await using var gateway = await BeforeAsync(worker, _embedder);
        using var ready = await gateway.SendAsync(HttpMethod.Get, "/ready");
        gateway.Cluster.Add(Workers.Decode("decode-1", worker.Address, Workers.Served("zeta")));

        using var models = await gateway.SendAsync(HttpMethod.Get, "/v1/models");

        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        Assert.Equal(["zeta", Embedder], (await models.JsonAsync()).GetProperty("data").EnumerateArray().Select(model => model.GetProperty("id").GetString()));
    }

    [Theory]
    [InlineData("/v1/rerank")]
    [InlineData("/v2/rerank")]
    [InlineData("/rerank")]
    public async Task Documents_are_ranked_by_their_cosine_with_the_query(string route)
    {
        await using var worker = await StubWorker.StartAsync("prefill-1");
        worker.Embed = _ => StubWorker.Embeddings([1f, 0f], [0.6f, 0.8f], [0.8f, 0.6f], [-1f, 0f]);
        await using var gateway = await BeforeAsync(worker, _embedder, Workers.Served());

        using var response = await gateway.SendAsync(HttpMethod.Post, route, "{\"query\":\"q\",\"documents\":[\"a\",{\"text\":\"b\"},\"c\"],\"top_n\":2}");

        var answer = await response.JsonAsync();
        Assert.Equal(Embedder, answer.GetProperty("model").GetString());
        Assert.Equal(12, answer.GetProperty("usage").GetProperty("total_tokens").GetInt32());
        Assert.Equal(
            [(1, "b", 0.8), (0, "a", 0.6)],
            answer.GetProperty("results").EnumerateArray().Select(result => (
                result.GetProperty("index").GetInt32(),
                result.GetProperty("document").GetProperty("text").GetString()!,
                Math.Round(result.GetProperty("relevance_score").GetDouble(), 5))));

        using var bare = await gateway.SendAsync(HttpMethod.Post, route, "{\"query\":\"q\",\"documents\":[\"a\",\"b\",\"c\"],\"return_documents\":false}");
        Assert.Equal([1, 0, 2], (await bare.JsonAsync()).GetProperty("results").EnumerateArray().Select(result => result.GetProperty("index").GetInt32()));
        Assert.DoesNotContain("document", await bare.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("\"q\"", "[\"a\",\"b\"]", 0.6, -1.0)]
    [InlineData("[\"q\",\"r\"]", "[\"a\",\"b\"]", 0.0, -0.6)]
    [InlineData("\"q\"", "\"r\"", 0.8)]
    public async Task Pairs_are_scored_one_with_all_or_each_with_its_own(string left, string right, params double[] scores)
    {
        await using var worker = await StubWorker.StartAsync("prefill-1");
        worker.Embed = request => StubWorker.Embeddings([.. new float[][] { [1f, 0f], [0.6f, 0.8f], [-1f, 0f], [-1f, 0f] }.Take(request.Inputs.Count)]);
        if (left[0] == '[')
        {
            worker.Embed = _ => StubWorker.Embeddings([1f, 0f], [0.6f, 0.8f], [0f, 1f], [-1f, 0f]);
        }
        else if (right[0] != '[')
        {
            worker.Embed = _ => StubWorker.Embeddings([1f, 0f], [0.8f, 0.6f]);
        }

        await using var gateway = await BeforeAsync(worker);

        using var response = await gateway.SendAsync(HttpMethod.Post, "/v1/score", $"{{\"model\":\"mini\",\"text_1\":{left},\"text_2\":{right}}}");

        var answer = await response.JsonAsync();
        Assert.Equal("list", answer.GetProperty("object").GetString());
        Assert.Equal(scores, answer.GetProperty("data").EnumerateArray().Select(score => Math.Round(score.GetProperty("score").GetDouble(), 5)));
    }

    /// <summary>A gateway before one prefill worker.</summary>
    private static Task<TestGateway> BeforeAsync(StubWorker worker, params ServedModel[] models)
    {
        var cluster = new FakeClusterView();
        cluster.Add(worker.Registration(models.Length > 0 ? models : [_embedder]) with { Role = WorkerRole.Prefill });
        return TestGateway.StartAsync(cluster);
    }
}
