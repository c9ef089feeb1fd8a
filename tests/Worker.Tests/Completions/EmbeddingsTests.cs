using System.Runtime.InteropServices;
using System.Text.Json;
using Google.Protobuf;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.TestKit;
using Serving.Worker.Embeddings;
using Serving.Worker.Tests.HandOff;

namespace Serving.Worker.Tests.Completions;

public sealed class EmbeddingsTests
{
    [Theory]
    [InlineData(WorkerRole.Prefill)]
    [InlineData(WorkerRole.Decode)]
    public async Task A_generative_model_gives_the_mean_of_its_hidden_states_at_length_one(WorkerRole role)
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(role);
        EmbeddingsRequest request = new()
        {
            Model = WorkerUnderTest.ModelName,
            Inputs = { new EmbeddingInput { Text = "CAB" }, new EmbeddingInput { Tokens = new TokenPrompt { Ids = { 5, 6, 7, 8 } } } },
        };
        request.Inputs.AddRange(Enumerable.Range(0, 40).Select(i => new EmbeddingInput { Text = new string((char)('A' + (i % 26)), i + 1) }));

        EmbeddingsResponse response = await AskAsync(worker, request);

        Assert.Equal(worker.State.Worker.Id, response.Worker);
        Assert.Equal([3, 4, .. Enumerable.Range(1, 40)], response.Embeddings.Select(embedding => embedding.Tokens));
        Assert.Equal(Unit(worker.Executor.ExpectHiddenSum([2, 0, 1])), Vector(response.Embeddings[0]), Near);
        Assert.Equal(Unit(worker.Executor.ExpectHiddenSum([5, 6, 7, 8])), Vector(response.Embeddings[1]), Near);
        Assert.Equal(Unit(worker.Executor.ExpectHiddenSum([.. Enumerable.Repeat(13, 40)])), Vector(response.Embeddings[41]), Near);
    }

    [Fact]
    public async Task A_sentence_embedder_gives_what_the_reference_gives()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Prefill);
        using SentenceEmbedder embedder = SentenceEmbedder.Load(
            new WorkerModelOptions { Name = "mini", Path = Path.Combine(Repository.Root, "models", "all-minilm-l6-v2", "model_quantized.onnx") }, new WorkerOptions());
        worker.Embedders = [embedder];
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllBytes(
            Path.Combine(Repository.Root, "tests", "Embeddings.Tests", "Fixtures", "all-minilm-l6-v2", "golden.json")));
        EmbeddingsRequest request = new() { Model = "mini" };
        request.Inputs.AddRange(golden.RootElement.EnumerateArray().Select(item => new EmbeddingInput { Text = item.GetProperty("text").GetString() }));

        EmbeddingsResponse response = await AskAsync(worker, request);

        foreach ((JsonElement expected, Embedding actual) in golden.RootElement.EnumerateArray().Zip(response.Embeddings))
        {
            Assert.Equal(expected.GetProperty("embedding_int8").EnumerateArray().Select(element => element.GetSingle()), Vector(actual), (a, b) => Math.Abs(a - b) < 2e-4);
            Assert.Equal(expected.GetProperty("ids").GetArrayLength(), actual.Tokens);
        }

        ServedModel served = Assert.Single(worker.State.Worker.Models, model => model.Kind == ModelKind.Embedding);
        Assert.Equal(("mini", 384, 512), (served.Name, served.EmbeddingWidth, served.ContextLength));
    }

    [Fact]
    public async Task What_a_model_cannot_read_is_refused_with_its_place()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Prefill);
        EmbeddingInput sound = new() { Text = "A", Param = "input[0]" };

        RequestError tooLong = await RefusalAsync(worker, sound, new EmbeddingInput { Text = new string('A', 65), Param = "input[1]" });
        RequestError empty = await RefusalAsync(worker, new EmbeddingInput { Text = "", Param = "input" });
        RequestError unknown = await RefusalAsync(worker, new EmbeddingInput { Tokens = new TokenPrompt { Ids = { 1, 99 } }, Param = "input" });

        Assert.Equal((400, "input[1]", "context_length_exceeded"), (tooLong.Status, tooLong.Param, tooLong.Code));
        Assert.Contains("65 tokens; this model takes 64", tooLong.Message);
        Assert.Equal((400, "input"), (empty.Status, empty.Param));
        Assert.Equal((400, "input[1]"), (unknown.Status, unknown.Param));
    }

    [Fact]
    public async Task A_model_that_is_not_there_is_not_the_clients_mistake()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Prefill);

        (int status, byte[] body) = await PostAsync(worker, new EmbeddingsRequest { Model = "other", Inputs = { new EmbeddingInput { Text = "A" } } });

        RequestError error = RequestError.Parser.ParseFrom(body);
        Assert.Equal((503, Fault.Gateway, "model_not_loaded"), (status, error.Fault, error.Code));
    }

    private static float[] Unit(float[] sum)
    {
        double norm = Math.Sqrt(sum.Sum(element => (double)element * element));
        return [.. sum.Select(element => (float)(element / norm))];
    }

    private static bool Near(float left, float right) => Math.Abs(left - right) < 1e-5f;

    private static float[] Vector(Embedding embedding) => MemoryMarshal.Cast<byte, float>(embedding.Values.Span).ToArray();

    private static async Task<EmbeddingsResponse> AskAsync(WorkerUnderTest worker, EmbeddingsRequest request)
    {
        (int status, byte[] body) = await PostAsync(worker, request);
        Assert.Equal(200, status);
        return EmbeddingsResponse.Parser.ParseFrom(body);
    }

    private static async Task<RequestError> RefusalAsync(WorkerUnderTest worker, params EmbeddingInput[] inputs)
    {
        (int status, byte[] body) = await PostAsync(worker, new EmbeddingsRequest { Model = WorkerUnderTest.ModelName, Inputs = { inputs } });
        RequestError error = RequestError.Parser.ParseFrom(body);
        Assert.Equal(error.Status, status);
        return error;
    }

    private static async Task<(int Status, byte[] Body)> PostAsync(WorkerUnderTest worker, IMessage request)
    {
        using HttpClient client = WorkerUnderTest.Client(worker.Address);
        using ByteArrayContent content = new(request.ToByteArray());
        using HttpResponseMessage response = await client.PostAsync(InternalApi.EmbeddingsRoute, content, TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }
}
