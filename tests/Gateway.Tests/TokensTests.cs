using System.Net;
using Serving.Contracts.Internal;
using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

public sealed class TokensTests
{
    private const string Hi = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";

    [Fact]
    public async Task A_prompt_is_tokenized_as_the_worker_says()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        worker.Tokenize = _ => new TokenizeResponse { Ids = { 28120, 905 }, Texts = { "Hello", " \"world" } };

        using var response = await TokenizeAsync(gateway, $$"""{"model":"{{Workers.Model}}","prompt":"Hello \"world","return_token_strs":true,"add_special_tokens":false}""");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("""{"count":2,"max_model_len":2048,"tokens":[28120,905],"token_strs":["Hello"," \"world"]}""", await TextAsync(response));
        Assert.Equal(
            new TokenizeRequest { Model = Workers.Model, Text = "Hello \"world", AddSpecialTokens = false, WithTexts = true }, worker.TokensRequest);
    }

    [Fact]
    public async Task What_is_left_out_is_the_only_model_and_vLLMs_defaults()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await TokenizeAsync(gateway, "{\"prompt\":\"\"}");

        Assert.Equal("""{"count":0,"max_model_len":2048,"tokens":[],"token_strs":null}""", await TextAsync(response));
        Assert.Equal(new TokenizeRequest { Model = Workers.Model, Text = "" }, worker.TokensRequest);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData(",\"add_generation_prompt\":true,\"continue_final_message\":false", true)]
    [InlineData(",\"add_generation_prompt\":false", false)]
    public async Task Messages_go_to_the_template_as_those_of_a_chat_do(string extra, bool addGenerationPrompt)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        const string fields = "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],\"chat_template_kwargs\":{\"enable_thinking\":false}";

        using var chat = await gateway.ChatAsync(Bodies.Chat(fields));
        using var response = await TokenizeAsync(gateway, Bodies.Chat(fields + extra));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var expected = (await worker.RequestAsync()).Chat;
        expected.AddGenerationPrompt = addGenerationPrompt;
        Assert.Equal(new TokenizeRequest { Model = Workers.Model, Chat = expected }, worker.TokensRequest);
    }

    [Fact]
    public async Task Tokens_become_their_text()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        worker.Detokenize = _ => new DetokenizeResponse { Text = "<|im_start|>grün" };

        using var response = await DetokenizeAsync(gateway, $$"""{"model":"{{Workers.Model}}","tokens":[1,7]}""");

        Assert.Equal("""{"prompt":"<|im_start|>grün"}""", await TextAsync(response));
        Assert.Equal(new DetokenizeRequest { Model = Workers.Model, Ids = { 1, 7 } }, worker.TokensRequest);
    }

    [Theory]
    [InlineData("{}", "prompt")]
    [InlineData("{\"prompt\":7}", "prompt")]
    [InlineData("{\"prompt\":[\"a\"]}", "prompt")]
    [InlineData("{\"prompt\":\"\\ud800\"}", "prompt")]
    [InlineData("{\"prompt\":\"a\"," + Hi + "}", "prompt")]
    [InlineData("{\"prompt\":\"a\",\"add_special_tokens\":1}", "add_special_tokens")]
    [InlineData("{\"prompt\":\"a\",\"return_token_strs\":\"yes\"}", "return_token_strs")]
    [InlineData("{\"prompt\":\"a\",\"add_generation_prompt\":false}", "add_generation_prompt")]
    [InlineData("{" + Hi + ",\"add_generation_prompt\":0}", "add_generation_prompt")]
    [InlineData("{" + Hi + ",\"continue_final_message\":true}", "continue_final_message")]
    [InlineData("{" + Hi + ",\"chat_template\":\"x\"}", "chat_template")]
    [InlineData("{" + Hi + ",\"mm_processor_kwargs\":{\"a\":1}}", "mm_processor_kwargs")]
    [InlineData("{" + Hi + ",\"tools\":7}", "tools")]
    [InlineData("{\"messages\":[]}", "messages")]
    [InlineData("{\"messages\":[{\"role\":\"wizard\",\"content\":\"Hi\"}]}", "messages[0].role")]
    [InlineData("{\"prompt\":\"a\",\"model\":7}", "model")]
    [InlineData("{\"prompt\":\"a\",\"model\":\"gpt-9\"}", "model", HttpStatusCode.NotFound)]
    [InlineData("[]", null)]
    public async Task A_mistake_in_what_is_to_be_tokenized_is_named(string body, string? param, HttpStatusCode status = HttpStatusCode.BadRequest)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await TokenizeAsync(gateway, body);

        Assert.Equal(status, response.StatusCode);
        Assert.Equal(param, (await response.ErrorAsync()).GetProperty("param").GetString());
        Assert.Null(worker.TokensRequest);
    }

    [Theory]
    [InlineData("{}", "tokens")]
    [InlineData("{\"tokens\":\"1\"}", "tokens")]
    [InlineData("{\"tokens\":[1,-1]}", "tokens[1]")]
    [InlineData("{\"tokens\":[1,2,\"3\"]}", "tokens[2]")]
    [InlineData("{\"tokens\":[2147483648]}", "tokens[0]")]
    [InlineData("{\"tokens\":[1],\"model\":\"gpt-9\"}", "model", HttpStatusCode.NotFound)]
    public async Task A_mistake_in_tokens_is_named(string body, string param, HttpStatusCode status = HttpStatusCode.BadRequest)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await DetokenizeAsync(gateway, body);

        Assert.Equal(status, response.StatusCode);
        Assert.Equal(param, (await response.ErrorAsync()).GetProperty("param").GetString());
        Assert.Null(worker.TokensRequest);
    }

    [Fact]
    public async Task More_tokens_than_the_limit_are_refused()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);

        using var response = await DetokenizeAsync(gateway, $"{{\"tokens\":[{string.Join(',', Enumerable.Repeat(1, 131_073))}]}}");

        Assert.Equal("tokens", (await response.ErrorAsync()).GetProperty("param").GetString());
    }

    [Fact]
    public async Task Of_several_models_one_has_to_be_named()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        var cluster = new FakeClusterView();
        cluster.Add(worker.Registration(Workers.Served("a"), Workers.Served("b")));
        await using var gateway = await TestGateway.StartAsync(cluster);

        using var unnamed = await TokenizeAsync(gateway, "{\"prompt\":\"x\"}");
        using var named = await TokenizeAsync(gateway, "{\"prompt\":\"x\",\"model\":\"b\"}");

        Assert.Equal(HttpStatusCode.BadRequest, unnamed.StatusCode);
        Assert.Equal("model", (await unnamed.ErrorAsync()).GetProperty("param").GetString());
        Assert.Equal(HttpStatusCode.OK, named.StatusCode);
    }

    [Fact]
    public async Task What_only_the_worker_can_see_is_passed_on()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        worker.Detokenize = _ => new RequestError { Fault = Fault.Client, Status = 400, Message = "'tokens[0]' is wrong.", Param = "tokens[0]", Code = "invalid_value" };

        using var response = await DetokenizeAsync(gateway, "{\"tokens\":[999999]}");

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("tokens[0]", (await response.ErrorAsync()).GetProperty("param").GetString());
    }

    [Fact]
    public async Task Where_one_worker_fails_another_is_asked()
    {
        await using var failing = await StubWorker.StartAsync("decode-1");
        await using var living = await StubWorker.StartAsync("decode-2");
        failing.Tokenize = _ => new RequestError { Fault = Fault.Worker, Status = 503, Message = "The worker is stopping.", Code = "worker_not_ready" };
        await using var gateway = await TestGateway.BeforeAsync(failing, living);

        // The two take turns, so one of two requests meets the failing one first.
        for (var request = 0; request < 2; request++)
        {
            using var response = await TokenizeAsync(gateway, "{\"prompt\":\"x\"}");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.NotNull(failing.TokensRequest);
    }

    [Fact]
    public async Task A_worker_that_answers_nonsense_is_no_clients_fault()
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        worker.Tokenize = _ => throw new InvalidOperationException("as a worker that fails");

        using var response = await TokenizeAsync(gateway, "{\"prompt\":\"x\"}");

        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        await response.ErrorAsync();
    }

    private static Task<HttpResponseMessage> TokenizeAsync(TestGateway gateway, string body) => gateway.SendAsync(HttpMethod.Post, "/tokenize", body);

    private static Task<HttpResponseMessage> DetokenizeAsync(TestGateway gateway, string body) => gateway.SendAsync(HttpMethod.Post, "/detokenize", body);

    private static Task<string> TextAsync(HttpResponseMessage response) => response.Content.ReadAsStringAsync(TestTime.Limit());
}
