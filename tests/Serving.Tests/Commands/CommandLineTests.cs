using System.CommandLine;
using Serving.Cli.Commands;

namespace Serving.Serving.Tests.Commands;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("up --port 0", "--port 0 is out of range: give 1 to 65535.")]
    [InlineData("up --port http", "--port http is not a whole number: give 1 to 65535.")]
    [InlineData("up --port 99999999999", "--port 99999999999 is out of range: give 1 to 65535.")]
    [InlineData("up --port 1 --port 2", "Option '--port' expects a single argument but 2 were provided.")]
    [InlineData("up --compute fast --compute fp32", "Option '--compute' expects a single argument but 2 were provided.")]
    [InlineData("up --host nowhere", "--host nowhere is not an IP address")]
    [InlineData("up --memory lots", "--memory lots is not an amount of memory")]
    [InlineData("up --compute slow", "--compute slow is not known")]
    [InlineData("up --kv-type int4", "--kv-type int4 is not known: give fp32, fp16 or int8.")]
    [InlineData("up --cors-origin chat.example", "is not a web origin")]
    [InlineData("up --quiet --verbose", "exclude each other")]
    [InlineData("chat --url nowhere", "--url nowhere is not an address")]
    [InlineData("chat --temperature 3", "--temperature 3 is out of range: give 0 to 2.")]
    [InlineData("chat --temperature warm", "--temperature warm is not a number: give 0 to 2.")]
    [InlineData("bench serve --url nowhere", "--url nowhere is not an address")]
    [InlineData("bench serve --rate fast", "--rate fast is not a number: give 0.001 to 100000.")]
    [InlineData("bench engine --rounds 1.5", "--rounds 1.5 is not a whole number: give 1 to 1000.")]
    [InlineData("bench engine --compute slow", "--compute slow is not known: give fast or fp32.")]
    [InlineData("model inspect m --compute slow", "--compute slow is not known: give fast or fp32.")]
    [InlineData("bench engine --plot /nowhere/engine.png", "--plot /nowhere/engine.png lies in a folder that does not exist.")]
    [InlineData("bench peer --rounds 0", "--rounds 0 is out of range")]
    [InlineData("bench engine --rounds 0", "--rounds 0 is out of range")]
    [InlineData("bench peer --threads 0", "--threads 0 is out of range")]
    [InlineData("chat --max-tokens 0", "--max-tokens 0 is out of range")]
    [InlineData("tokenizer verify tokenizer.json", "--golden")]
    public void A_mistake_is_named_with_its_option(string line, string expected)
    {
        var errors = ServingCommand.Create().Parse(line.Split(' ')).Errors;
        Assert.Contains(expected, Assert.Single(errors).Message);
    }

    [Theory]
    [InlineData("up")]
    [InlineData("up --host ::1 --port 9000 --memory 4GiB --threads 2 --compute fp32 --kv-type int8 --weight-cache off --cors-origin https://a.example --cors-origin http://localhost:3000")]
    [InlineData("chat")]
    [InlineData("bench serve --url http://127.0.0.1:9000")]
    [InlineData("model inspect m --compute fp32")]
    [InlineData("chat Hello --temperature 0 --max-tokens 5 --url https://llm.example/")]
    public void What_the_help_says_is_accepted(string line) => Assert.Empty(ServingCommand.Create().Parse(line.Split(' ')).Errors);

    [Theory]
    [InlineData("http://127.0.0.1:9000", "http://127.0.0.1:9000/")]
    [InlineData("http://127.0.0.1:9000/v1", "http://127.0.0.1:9000/")]
    [InlineData("https://llm.example/team/v1/", "https://llm.example/team/")]
    [InlineData("https://llm.example/team", "https://llm.example/team")]
    public void An_address_may_have_the_v1_that_other_clients_want(string given, string expected)
    {
        foreach (var command in new[] { "chat", "bench serve" })
        {
            Assert.Equal(new Uri(expected), ServingCommand.Create().Parse([.. command.Split(' '), "--url", given]).GetValue<Uri>("--url"));
        }
    }

    [Theory]
    [InlineData("--help", "serving chat \"What is the capital of France?\"")]
    [InlineData("up --help", "[default: 8080]")]
    [InlineData("bench engine --help", "--compute <fast|fp32>")]
    [InlineData("chat --help", "[default: http://127.0.0.1:8080/]")]
    [InlineData("tokenizer verify --help", "serving tokenizer verify tokenizer.json --golden golden.json --json")]
    [InlineData("template verify --help", "serving template verify chat-templates.json")]
    public void Help_has_defaults_and_examples(string line, string expected)
    {
        var output = new StringWriter();
        ServingCommand.Create().Parse(line.Split(' ')).Invoke(new InvocationConfiguration { Output = output });
        Assert.Contains(expected, output.ToString());
        Assert.Contains("Examples:", output.ToString());
    }
}
