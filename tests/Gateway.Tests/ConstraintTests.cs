using Serving.Gateway.Tests.Support;

namespace Serving.Gateway.Tests;

/// <summary>What an answer's text must be, from the request's fields to the worker.</summary>
public sealed class ConstraintTests
{
    [Theory]
    [InlineData("\"temperature\":1", null)]
    [InlineData("\"response_format\":{\"type\":\"text\"}", null)]
    [InlineData("\"response_format\":{\"type\":\"json_object\"}", "{ \"jsonObject\": { }, \"param\": \"response_format\" }")]
    [InlineData("\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"strict\":true,\"schema\":{\"type\":\"null\"}}}", "{ \"jsonSchema\": \"{\\\"type\\\":\\\"null\\\"}\", \"param\": \"response_format.json_schema.schema\" }")]
    [InlineData("\"guided_json\":{\"const\":1}", "{ \"jsonSchema\": \"{\\\"const\\\":1}\", \"param\": \"guided_json\" }")]
    [InlineData("\"guided_json\":\"{}\"", "{ \"jsonSchema\": \"{}\", \"param\": \"guided_json\" }")]
    [InlineData("\"guided_regex\":\"a+\"", "{ \"regex\": \"a+\", \"param\": \"guided_regex\" }")]
    [InlineData("\"guided_choice\":[\"a\",\"b\"]", "{ \"alternatives\": { \"items\": [ { \"literal\": \"a\" }, { \"literal\": \"b\" } ] }, \"param\": \"guided_choice\" }")]
    [InlineData("\"guided_grammar\":\"root ::= \\\"a\\\"\"", "{ \"grammar\": \"root ::= \\\"a\\\"\", \"param\": \"guided_grammar\" }")]
    public async Task The_worker_gets_the_constraint(string fields, string? expected)
    {
        await using var worker = await StubWorker.StartAsync("decode-1");
        await using var gateway = await TestGateway.BeforeAsync(worker);
        using var response = await gateway.ChatAsync(Bodies.Chat(fields));

        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(expected, (await worker.RequestAsync()).Constraint?.ToString());
    }
}
