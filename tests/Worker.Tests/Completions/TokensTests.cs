using Google.Protobuf;
using Serving.Contracts.Cluster;
using Serving.Contracts.Internal;
using Serving.Worker.Tests.HandOff;

namespace Serving.Worker.Tests.Completions;

public sealed class TokensTests
{
    [Fact]
    public async Task A_text_becomes_tokens_and_their_texts()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);

        TokenizeResponse plain = await AskAsync(worker, InternalApi.TokenizeRoute, Request("CAB"), TokenizeResponse.Parser);
        TokenizeRequest asking = Request("CAB");
        asking.WithTexts = true;
        TokenizeResponse whole = await AskAsync(worker, InternalApi.TokenizeRoute, asking, TokenizeResponse.Parser);

        Assert.Equal(new TokenizeResponse { Ids = { 2, 0, 1 } }, plain);
        Assert.Equal(new TokenizeResponse { Ids = { 2, 0, 1 }, Texts = { "C", "A", "B" } }, whole);
    }

    [Fact]
    public async Task Messages_for_a_model_without_a_template_are_refused()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);
        TokenizeRequest request = new() { Model = WorkerUnderTest.ModelName, Chat = new ChatPrompt { MessagesJson = ByteString.CopyFromUtf8("[]") } };

        RequestError error = await RefusalAsync(worker, InternalApi.TokenizeRoute, request);

        Assert.Equal((Fault.Client, 400, "model"), (error.Fault, error.Status, error.Param));
    }

    [Fact]
    public async Task Tokens_become_text()
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);

        DetokenizeResponse response = await AskAsync(
            worker, InternalApi.DetokenizeRoute, new DetokenizeRequest { Model = WorkerUnderTest.ModelName, Ids = { 1, 0, 2 } }, DetokenizeResponse.Parser);

        Assert.Equal("BAC", response.Text);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public async Task An_id_that_names_no_token_is_refused_with_its_place(int id)
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);

        RequestError error = await RefusalAsync(
            worker, InternalApi.DetokenizeRoute, new DetokenizeRequest { Model = WorkerUnderTest.ModelName, Ids = { 0, id } });

        Assert.Equal((Fault.Client, 400, "tokens[1]"), (error.Fault, error.Status, error.Param));
    }

    [Theory]
    [InlineData(InternalApi.TokenizeRoute)]
    [InlineData(InternalApi.DetokenizeRoute)]
    public async Task A_model_that_is_not_there_is_not_the_clients_mistake(string route)
    {
        await using WorkerUnderTest worker = await WorkerUnderTest.StartAsync(WorkerRole.Decode);

        RequestError error = await RefusalAsync(worker, route, new DetokenizeRequest { Model = "other" });

        Assert.Equal((Fault.Gateway, 503, "model_not_loaded"), (error.Fault, error.Status, error.Code));
    }

    private static TokenizeRequest Request(string text) => new() { Model = WorkerUnderTest.ModelName, Text = text };

    private static async Task<T> AskAsync<T>(WorkerUnderTest worker, string route, IMessage request, MessageParser<T> parser)
        where T : IMessage<T>
    {
        (int status, byte[] body) = await PostAsync(worker, route, request);
        Assert.Equal(200, status);
        return parser.ParseFrom(body);
    }

    private static async Task<RequestError> RefusalAsync(WorkerUnderTest worker, string route, IMessage request)
    {
        (int status, byte[] body) = await PostAsync(worker, route, request);
        RequestError error = RequestError.Parser.ParseFrom(body);
        Assert.Equal(error.Status, status);
        return error;
    }

    private static async Task<(int Status, byte[] Body)> PostAsync(WorkerUnderTest worker, string route, IMessage request)
    {
        using HttpClient client = WorkerUnderTest.Client(worker.Address);
        using ByteArrayContent content = new(request.ToByteArray());
        using HttpResponseMessage response = await client.PostAsync(route, content, TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }
}
