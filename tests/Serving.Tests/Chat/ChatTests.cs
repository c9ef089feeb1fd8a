using System.Net;
using Serving.Cli.Chat;

namespace Serving.Serving.Tests.Chat;

public sealed class ChatTests : IDisposable
{
    private static readonly Uri Url = new("http://api.example:1/");
    private static readonly ChatRequest Template = new("m", [new ChatMessage("system", "Be brief.")], Temperature: 0, MaxTokens: null);

    private readonly StringWriter _output = new();
    private readonly StringWriter _remarks = new();

    public void Dispose()
    {
        _output.Dispose();
        _remarks.Dispose();
    }

    [Fact]
    public async Task Only_the_answer_is_written()
    {
        using var client = new ChatClient(Url, apiKey: null, new FakeApi(FakeApi.Stream("Pa", "ris.")));
        await Session(client, "").AskAsync("Capital?", TestContext.Current.CancellationToken);
        Assert.Equal("Paris.\n", _output.ToString());
    }

    [Fact]
    public async Task What_the_model_thinks_is_a_remark_and_no_part_of_the_conversation()
    {
        const string thought = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"Hm\"}}]}\n\n";
        var (status, body) = FakeApi.Stream("Paris.");
        var api = new FakeApi((status, thought + body), FakeApi.Stream("Yes."));
        using var client = new ChatClient(Url, apiKey: null, api);
        await Session(client, "a\nb\n").RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal("Paris.\nYes.\n", _output.ToString());
        Assert.Contains("Hm\n", _remarks.ToString());
        Assert.DoesNotContain("Hm", api.Requests[1]);
    }

    [Fact]
    public async Task A_conversation_carries_its_turns_until_it_is_reset()
    {
        var api = new FakeApi(FakeApi.Stream("One."), FakeApi.Stream("Two."), FakeApi.Stream("Three."));
        using var client = new ChatClient(Url, apiKey: null, api);
        await Session(client, "a\n\nb\n/reset\nc\n/exit\nd\n").RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal("One.\nTwo.\nThree.\n", _output.ToString());
        Assert.Equal(
            """{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"a"},{"role":"assistant","content":"One."},{"role":"user","content":"b"}],"temperature":0,"stream":true}""",
            api.Requests[1]);
        Assert.DoesNotContain("One.", api.Requests[2]);
        Assert.Contains("Be brief.", api.Requests[2]);
    }

    [Fact]
    public async Task An_error_in_a_conversation_is_remarked_and_the_question_forgotten()
    {
        var api = new FakeApi((HttpStatusCode.BadRequest, """{"error":{"message":"Too long."}}"""), FakeApi.Stream("Yes."));
        using var client = new ChatClient(Url, apiKey: null, api);
        await Session(client, "long\nshort\n").RunAsync(TestContext.Current.CancellationToken);
        Assert.Contains("400: Too long.", _remarks.ToString());
        Assert.DoesNotContain("long", api.Requests[1]);
        Assert.Equal("Yes.\n", _output.ToString());
    }

    [Theory]
    [InlineData(HttpStatusCode.NotFound, """{"error":{"message":"No model m."}}""", "404: No model m.")]
    [InlineData(HttpStatusCode.BadGateway, "<html>", "502: Bad Gateway")]
    [InlineData(HttpStatusCode.OK, "data: {\"error\":{\"message\":\"Worker lost.\"}}\n\n", "Worker lost.")]
    [InlineData(HttpStatusCode.OK, "data: {\"choices\":[{\"delta\":{\"content\":\"Pa\"}}]}\n\n", "The answer broke off.")]
    public async Task Errors_become_one_line(HttpStatusCode status, string body, string expected)
    {
        using var client = new ChatClient(Url, apiKey: null, new FakeApi((status, body)));
        var e = await Assert.ThrowsAsync<ApiException>(() => Session(client, "").AskAsync("x", TestContext.Current.CancellationToken));
        Assert.Equal(expected, e.Message);
    }

    [Fact]
    public async Task Without_a_name_the_first_model_is_taken()
    {
        using var client = new ChatClient(Url, apiKey: null, new FakeApi((HttpStatusCode.OK, """{"data":[{"id":"first"},{"id":"second"}]}""")));
        Assert.Equal("first", await client.FirstModelAsync(TestContext.Current.CancellationToken));
    }

    private ChatSession Session(ChatClient client, string input) => new(client, Template, new StringReader(input), _output, _remarks);
}
